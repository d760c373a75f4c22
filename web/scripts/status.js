// The status page: takes what the stream of events tells, and shows it.

import { $, make, setText, plural } from "./dom.js";
import { programs, put, measure, setClock, category, problem, wrong } from "./model.js";
import { connect } from "./stream.js";
import { act, ask, busy, reread } from "./control.js";
import * as table from "./table.js";
import * as attention from "./attention.js";
import * as keys from "./keys.js";

// What is shown, and how, is part of the address of the page.
const address = new URL(location);
const state = {
  query: address.searchParams.get("q") ?? "",
  show: address.searchParams.get("show") ?? "all",
  sort: address.searchParams.get("sort") ?? "name",
};

let interval = 2000;
let started = false;
let identifier = "";

function remember() {
  const url = new URL(location);
  for (const [name, value, usual] of [["q", state.query, ""], ["show", state.show, "all"], ["sort", state.sort, "name"]]) {
    if (value === usual) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  // A message tells of something that happened once.
  for (const name of ["message", "action", "processname"]) url.searchParams.delete(name);
  history.replaceState(null, "", url);
}

const shows = [["all", "All"], ["running", "Running"], ["wrong", "Wrong"], ["stopped", "Stopped"]];
const counts = new Map(shows.map(([key]) => [key, make("button", { type: "button", onclick: () => choose(key) })]));

function choose(show) {
  state.show = show;
  remember();
  render();
}

function renderCounts() {
  const sums = { all: programs.size, running: 0, wrong: 0, stopped: 0 };
  for (const p of programs.values()) sums[category(p)]++;
  for (const [key, label] of shows) {
    setText(counts.get(key), `${label} ${sums[key]}`);
    counts.get(key).setAttribute("aria-pressed", state.show === key);
  }
  document.title = `${sums.wrong ? `(${sums.wrong}) ` : ""}${identifier || "Supervisor"} · Supervisor`;
}

let none = null;

function renderNone() {
  const empty = !document.querySelector("#programs [data-name]");
  none ??= $("none") ?? make("p", { id: "none" });
  if (empty) $("programs").after(none);
  else none.remove();
  setText(none, programs.size ? "No program matches." : "No programs to manage");
}

let planned = false;

// plan renders once for all events that come together.
function plan() {
  if (planned) return;
  planned = true;
  // A page in the background gets no animation frames.
  (document.hidden ? setTimeout : requestAnimationFrame)(() => {
    planned = false;
    render();
  });
}

function render() {
  if (!started) return;
  table.render(state);
  attention.render(() => choose("wrong"));
  renderCounts();
  renderNone();
}

// announce tells those who do not see the page what went wrong, or came right.
const spoken = make("p", { class: "hidden", role: "status" });

function announce(before, p) {
  if (!before) return;
  const was = problem(before), is = problem(p);
  if (is && is.kind !== was?.kind) setText(spoken, `${p.namespec}: ${is.word}. ${is.why}`);
  else if (was && !is) setText(spoken, `${p.namespec}: ${p.statename.toLowerCase()}`);
}

function start(snapshot) {
  programs.clear();
  setClock(snapshot.now);
  interval = snapshot.interval;
  identifier = snapshot.identifier;
  for (const p of snapshot.processes) {
    put(p);
    Object.assign(programs.get(p.namespec), snapshot.history[p.namespec]);
  }
  setText($("daemon"), `· pid ${snapshot.pid}`);
  if (!started) table.setup(resort);
  started = true;
  mood(snapshot);
  plan();
}

function mood({ mood }) {
  banner("mood", mood === "RUNNING" ? "" : `supervisord is in the state ${mood}.`);
}

// banner shows the more important of two conditions.
const conditions = {};

function banner(kind, text) {
  conditions[kind] = text;
  const shown = conditions.lost || conditions.mood || "";
  setText($("banner"), shown);
  $("banner").hidden = !shown;
  $("banner").classList.toggle("lost", Boolean(conditions.lost));
}

function link(condition) {
  const live = condition === "live";
  setText($("live"), live ? "Live" : "No connection");
  $("live").classList.toggle("lost", !live);
  if (live) banner("lost", "");
  else if (!conditions.lost) {
    banner("lost", `No connection to supervisord. What you see is from ${new Date().toLocaleTimeString()}; trying again.`);
  }
}

function resort(key) {
  // Numbers are wanted from the highest, names from the first.
  const first = key === "name" || key === "state" ? key : `-${key}`;
  const other = first.startsWith("-") ? key : `-${key}`;
  state.sort = state.sort === first ? other : first;
  remember();
  render();
}

async function all(button, action, title, yes) {
  const running = [...programs.values()].filter((p) => p.pid).length;
  const body = [make("p", {}, `${plural(running, "program")} of ${programs.size} ${running === 1 ? "is" : "are"} running.`)];
  if (await ask(title, { body, yes, danger: true })) await busy(button, () => act(action, {}));
}

$("counts").append(...counts.values());
document.body.append(spoken);
$("filter").value = state.query;
$("filter").addEventListener("input", () => {
  state.query = $("filter").value;
  remember();
  render();
});
$("reread").addEventListener("click", () => busy($("reread"), reread));
$("restartall").addEventListener("click", () => all($("restartall"), "restart", "Restart all programs?", "Restart all"));
$("stopall").addEventListener("click", () => all($("stopall"), "stop", "Stop all programs?", "Stop all"));
$("help").addEventListener("click", keys.help);
keys.setup(() => {
  $("filter").value = state.query = "";
  state.show = "all";
  remember();
  render();
});
if (address.searchParams.has("message")) remember();

connect("events", {
  snapshot: start,
  process(p) {
    const before = programs.get(p.namespec);
    put(p);
    announce(before, p);
    plan();
  },
  removed({ name }) {
    programs.delete(name);
    plan();
  },
  usage({ now, usage }) {
    setClock(now);
    measure(usage);
    plan();
  },
  mood,
}, link, () => interval * 3 + 5000);

setInterval(table.tick, 1000);
