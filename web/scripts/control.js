// Doing things: requests that change something, questions before them, and the
// notices that tell how they went.

import { $, make, plural } from "./dom.js";

// post sends a form and returns the answer, or one that says that there was
// none.
export async function post(address, fields) {
  try {
    const response = await fetch(address, { method: "POST", body: new URLSearchParams(fields) });
    return await response.json();
  } catch {
    return { ok: false, results: [{ name: "", ok: false, message: "no answer from supervisord" }] };
  }
}

// notify shows a notice. One that tells of a failure stays until it is closed.
export function notify(text, { bad = false, list = [], label = "", run = null } = {}) {
  const close = () => toast.remove();
  const toast = make("div", { class: bad ? "toast bad" : "toast", role: bad ? "alert" : null },
    make("p", {}, text, list.length ? make("ul", {}, ...list.map((item) => make("li", {}, item))) : null),
    run ? make("button", { type: "button", onclick: () => { close(); run(); } }, label) : null,
    make("button", { type: "button", class: "quiet", "aria-label": "Close", onclick: close }, "✕"));
  const region = $("notices");
  region.append(toast);
  while (region.children.length > 5) region.firstChild.remove();
  if (!bad) setTimeout(close, 8000);
}

const doneWords = { start: "started", stop: "stopped", restart: "restarted", clearlog: "log cleared" };
const tryWords = { start: "Starting", stop: "Stopping", restart: "Restarting", clearlog: "Clearing the log of" };

// act does an action on a program ({processname}), a group ({group}) or
// everything ({}), and tells how it went. It returns when that is known.
export async function act(action, target) {
  const answer = await post("api/action", { action, ...target });
  const name = target.processname ?? (target.group ? `Group ${target.group}` : "All programs");
  const failed = answer.results.filter((result) => !result.ok);
  if (failed.length && target.processname) {
    notify(`${tryWords[action]} ${name} failed: ${failed[0].message}.`, { bad: true });
  } else if (failed.length) {
    notify(`${tryWords[action]}: ${plural(failed.length, "program")} failed.`,
      { bad: true, list: failed.slice(0, 12).map((r) => (r.name ? `${r.name}: ${r.message}` : r.message)) });
  } else if (action === "stop" && (target.processname || target.group)) {
    notify(`${name} ${doneWords[action]}.`, { label: "Start again", run: () => act("start", target) });
  } else {
    notify(`${name} ${doneWords[action]}.`);
  }
  return answer.ok;
}

// busy marks a button while something that it began is under way. It stays
// where the focus is, and does nothing more.
export async function busy(button, work) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  button.setAttribute("aria-disabled", "true");
  try {
    await work();
  } finally {
    button.removeAttribute("aria-busy");
    button.removeAttribute("aria-disabled");
  }
}

// ask shows a dialog and returns whether it was agreed to. Without yes there
// is nothing to agree to.
export function ask(title, { body = [], yes = "", danger = false } = {}) {
  const back = document.activeElement;
  return new Promise((resolve) => {
    const dialog = make("dialog", { "aria-labelledby": "dialog-title" },
      make("h2", { id: "dialog-title" }, title), ...body,
      make("form", { method: "dialog", class: "choice" },
        make("button", { value: "", autofocus: true }, yes ? "Cancel" : "Close"),
        yes ? make("button", { value: "yes", class: danger ? "danger" : "primary" }, yes) : null));
    dialog.addEventListener("close", () => {
      dialog.remove();
      back?.focus?.();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

// reread reads the configuration again, shows what an update would change,
// and does it if that is agreed to.
export async function reread() {
  const answer = await post("api/reread", {});
  if (!answer.ok) {
    notify(`The configuration was not read: ${answer.results[0].message}.`, { bad: true });
    return;
  }
  const sections = [["New", answer.added], ["Changed, to be restarted", answer.changed], ["To be stopped and removed", answer.removed]]
    .filter(([, groups]) => groups.length);
  if (!sections.length) {
    notify("The configuration has not changed.");
    return;
  }
  const body = sections.flatMap(([title, groups]) => [make("h3", {}, title),
    make("ul", {}, ...groups.map(({ group, processes }) => make("li", {}, group,
      processes.length ? make("ul", {}, ...processes.slice(0, 20).map((text) => make("li", {}, make("code", {}, text)))) : null)))]);
  if (!await ask("Apply the new configuration?", { body, yes: "Apply" })) return;
  const outcome = await post("api/update", {});
  notify(outcome.ok ? "The new configuration is applied." : "The new configuration could not be applied as a whole.",
    { bad: !outcome.ok, list: outcome.results.map((r) => (r.name ? `${r.name}: ${r.message}` : r.message)) });
}
