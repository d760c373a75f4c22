// The table of programs, and the buttons of a program, which its card uses as
// well.

import { $, make, setText, duration, bytes, escapeName } from "./dom.js";
import { programs, problem, actions, latest, nextStart, now, view } from "./model.js";
import { act, busy } from "./control.js";

const labels = { start: "Start", restart: "Restart", stop: "Stop" };

// logAddress returns the address of a program's log page.
export function logAddress(name, stream = "stdout") {
  return `log.html?processname=${escapeName(name)}&stream=${stream}`;
}

// Buttons are the actions of one program. All of them exist from the start and
// are shown by its state, so that the focus can stay on one that is at work.
export class Buttons {
  constructor(name) {
    this.name = name;
    this.element = make("td", { class: "actions" });
    this.buttons = Object.fromEntries(Object.entries(labels).map(([action, label]) =>
      [action, make("button", { type: "button", "data-action": action, "aria-label": `${label} ${name}`, onclick: () => this.run(action) }, label)]));
    this.log = make("a", { href: logAddress(name), "aria-label": `Log of ${name}`, "data-action": "log" }, "Log");
    this.element.append(...Object.values(this.buttons), this.log);
  }

  async run(action) {
    await busy(this.buttons[action], () => act(action, { processname: this.name }));
    this.update();
  }

  update() {
    const p = programs.get(this.name);
    if (!p) return;
    const possible = actions(p);
    const focused = document.activeElement;
    for (const [action, button] of Object.entries(this.buttons)) {
      button.hidden = !possible.includes(action) && button.getAttribute("aria-busy") !== "true";
    }
    if (focused?.hidden && this.element.contains(focused)) {
      (Object.values(this.buttons).find((button) => !button.hidden) ?? this.log).focus();
    }
  }
}

// details words what there is to know beside a program's state.
export function details(p) {
  if (p.waiting) return `waiting for ${p.waiting}`;
  switch (p.statename) {
    case "RUNNING":
      return [`up ${duration(now() - p.start)}, pid ${p.pid}`, p.ready === false ? "not ready" : "",
        p.health && p.health !== "ok" ? p.health : "", p.statustext ?? ""].filter(Boolean).join(", ");
    case "STARTING":
    case "STOPPING":
      return p.pid ? `pid ${p.pid}` : "";
    case "STOPPED":
      return p.start ? `stopped ${duration(now() - p.stop)} ago` : "not started";
    case "EXITED":
      return `${p.exitreason || `exit status ${p.exitstatus}`}, ${duration(now() - p.stop)} ago${p.nextstart ? `, restart ${nextStart(p)}` : ""}`;
    case "BACKOFF":
      return p.nextstart ? `${p.spawnerr}, restart ${nextStart(p)}` : p.spawnerr;
  }
  return p.spawnerr;
}

// drawSpark draws a line of measurements, between 0 and the highest.
function drawSpark(svg, list, highest) {
  const path = svg.firstChild;
  const points = list.map((n, i) => `${56 - (list.length - 1 - i) * 1.43},${(15 - (Math.max(n, 0) / highest) * 14).toFixed(1)}`);
  const d = points.length > 1 ? `M${points.join("L")}` : "";
  if (path.getAttribute("d") !== d) path.setAttribute("d", d);
}

function makeSpark() {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 56 16");
  svg.setAttribute("aria-hidden", "true");
  svg.append(document.createElementNS(space, "path"));
  return svg;
}

// exitOn says what exit_on means for a program.
const exitOn = {
  fatal: "supervisord ends if it becomes fatal",
  exit: "supervisord ends with it",
};

// A Row shows one program.
class Row {
  constructor(name) {
    this.name = name;
    this.state = make("span", { class: "state" });
    this.details = make("td", { class: "details" });
    this.cpu = make("span");
    this.rss = make("span");
    this.cpuSpark = makeSpark();
    this.rssSpark = makeSpark();
    this.restarts = make("td", { class: "number" });
    this.buttons = new Buttons(name);
    this.element = make("tr", { tabindex: "-1", "data-name": name },
      make("td", { class: "statecell" }, this.state),
      make("td", { class: "namecell" }, make("a", { class: "name", href: logAddress(name) }, name)),
      this.details,
      make("td", { class: "number" }, this.cpuSpark, this.cpu),
      make("td", { class: "number" }, this.rssSpark, this.rss),
      this.restarts, this.buttons.element);
  }

  update() {
    const p = programs.get(this.name);
    const trouble = problem(p);
    const kind = `state ${trouble?.kind ?? p.statename.toLowerCase()}`;
    if (this.state.className !== kind) this.state.className = kind;
    setText(this.state, trouble?.word ?? p.statename.toLowerCase());
    this.state.title = exitOn[p.exit_on] ?? "";
    setText(this.details, details(p));
    setText(this.restarts, p.restarts ? `${p.restarts}×` : "");
    this.restarts.title = p.restarts ? `Restarted by itself ${p.restarts} times` : "";
    this.element.classList.toggle("ingroup", p.group !== p.name);
    this.buttons.update();
    this.measure(p);
  }

  measure(p) {
    const cpu = latest(p.cpu), rss = latest(p.rss);
    setText(this.cpu, cpu === undefined ? "" : `${(cpu / 10).toFixed(cpu < 100 ? 1 : 0)} %`);
    setText(this.rss, rss === undefined ? "" : bytes(rss * 1024));
    this.cpuSpark.toggleAttribute("hidden", p.cpu.length < 2);
    this.rssSpark.toggleAttribute("hidden", p.rss.length < 2);
    // A few percent are no mountain; memory moves around the middle.
    drawSpark(this.cpuSpark, p.cpu, Math.max(50, ...p.cpu));
    drawSpark(this.rssSpark, p.rss, Math.max(1, ...p.rss) * 1.5);
  }
}

const rows = new Map();
const heads = new Map();

const columns = [["state", "State"], ["name", "Name"], ["up", "Details"], ["cpu", "CPU"], ["rss", "Memory"], ["restarts", "Restarts"]];
const numbers = new Set(["cpu", "rss", "restarts"]);

// setup replaces the table that came with the page. resort is called with the
// order that was asked for.
export function setup(resort) {
  const table = $("programs");
  const cells = columns.map(([key, title]) => make("th", { scope: "col", class: numbers.has(key) ? "number" : null, "data-sort": key },
    make("button", { type: "button", onclick: () => resort(key) }, title)));
  table.replaceChildren(make("thead", {}, make("tr", {}, ...cells, make("th", { scope: "col", class: "actions" }, "Actions"))));
}

// A head is the row above the programs of a group.
function head(group) {
  if (!heads.has(group)) {
    const sum = make("span", { class: "sum" });
    const buttons = Object.entries(labels).map(([action, label]) => {
      const button = make("button", { type: "button", "aria-label": `${label} group ${group}`,
        onclick: () => busy(button, () => act(action, { group })) }, label);
      return button;
    });
    heads.set(group, { sum, element: make("tr", { class: "grouphead" },
      make("th", { scope: "rowgroup", colspan: columns.length + 1 },
        make("div", {}, make("span", {}, group), sum, make("span", { class: "actions" }, ...buttons)))) });
  }
  return heads.get(group);
}

// bodies returns the programs of a view, cut into the bodies of the table: one
// for each group with a heading of its own, where the order is by name.
function bodies(list, sort) {
  if (sort !== "name" && sort !== "-name") return [{ group: "", list }];
  const result = [];
  for (const p of list) {
    const group = p.group === p.name ? "" : p.group;
    if (!result.length || result.at(-1).group !== group) result.push({ group, list: [] });
    result.at(-1).list.push(p);
  }
  return result;
}

let shown = "";

// render brings the table up to date with the programs and the view of them.
export function render(state) {
  for (const name of rows.keys()) if (!programs.has(name)) rows.delete(name);
  const list = view(state);
  for (const p of list) {
    if (!rows.has(p.namespec)) rows.set(p.namespec, new Row(p.namespec));
    rows.get(p.namespec).update();
  }
  const parts = bodies(list, state.sort);
  for (const { group, list } of parts) {
    if (group) setText(head(group).sum, `${list.filter((p) => p.statename === "RUNNING").length} of ${list.length} running`);
  }
  const order = JSON.stringify(parts.map(({ group, list }) => [group, list.map((p) => p.namespec)])) + state.sort;
  if (order === shown) return;
  shown = order;
  arrange(parts, state.sort);
}

// arrange puts the rows in place and keeps the focus where it is.
function arrange(parts, sort) {
  const table = $("programs");
  const focused = document.activeElement;
  for (const cell of table.tHead.rows[0].cells) {
    if (cell.dataset.sort === sort.replace("-", "")) cell.setAttribute("aria-sort", sort.startsWith("-") ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
  const made = parts.map(({ group, list }) => make("tbody", {}, group ? head(group).element : null, ...list.map((p) => rows.get(p.namespec).element)));
  table.replaceChildren(table.tHead, ...made);
  if (focused !== document.activeElement && table.contains(focused)) focused.focus({ preventScroll: true });
}

// tick moves the times on.
export function tick() {
  for (const row of rows.values()) {
    const p = programs.get(row.name);
    if (p && row.element.isConnected) setText(row.details, details(p));
  }
}

// button returns the button of a program for an action, if it can be done now.
export function buttonOf(name, action) {
  const button = rows.get(name)?.buttons.buttons[action];
  return button && !button.hidden ? button : null;
}
