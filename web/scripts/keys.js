// The keyboard: everything on the page can be reached with Tab, and these keys
// are short ways to the usual things.

import { $, make } from "./dom.js";
import { actions, programs } from "./model.js";
import { buttonOf, logAddress } from "./table.js";
import { ask } from "./control.js";

const keys = [["/", "filter the programs"], ["j  k", "next and previous program"], ["s", "start or stop the program"],
  ["r", "restart it"], ["l  Enter", "open its log"], ["Esc", "clear the filter"], ["?", "this help"]];
const logKeys = [["/", "search"], ["n  N", "next and previous match"], ["f", "follow or pause"], ["w", "wrap lines"],
  ["g  G", "beginning and end of the file"], ["u", "back to the programs"]];

const list = (keys) => make("dl", {}, ...keys.flatMap(([key, text]) =>
  [make("dt", {}, ...key.split("  ").flatMap((k) => [make("kbd", {}, k), " "])), make("dd", {}, text)]));

// help shows what the keys do.
export function help() {
  if (document.querySelector("dialog")) return;
  ask("Keyboard", { body: [make("h3", {}, "Programs"), list(keys), make("h3", {}, "Log"), list(logKeys)] });
}

// current returns the element of the program that the focus is in, if any.
const current = () => document.activeElement?.closest("[data-name]");

function move(by) {
  const all = [...document.querySelectorAll("[data-name]")];
  const at = all.indexOf(current());
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function run(name, wanted) {
  const program = programs.get(name);
  const action = program && wanted.find((a) => actions(program).includes(a));
  if (action) (current()?.querySelector(`[data-action="${action}"]`) ?? buttonOf(name, action))?.click();
}

// setup begins to listen to the keys. clear is called to clear the filter.
export function setup(clear) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented || document.querySelector("dialog")) return;
    if (event.key === "Escape" && (event.target === $("filter") || event.target === document.body)) {
      clear();
      $("filter").blur();
      return;
    }
    if (event.target.matches("input, textarea, select")) {
      if (event.key === "Enter" && event.target === $("filter")) move(1);
      return;
    }
    const name = current()?.dataset.name;
    if (event.key === "/") $("filter").focus();
    else if (event.key === "?") help();
    else if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (name && event.key === "s") run(name, ["start", "stop"]);
    else if (name && event.key === "r") run(name, ["restart", "start"]);
    else if (name && (event.key === "l" || (event.key === "Enter" && event.target === current()))) location.href = logAddress(name);
    else return;
    event.preventDefault();
  });
}
