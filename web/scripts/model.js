// What is known of the programs, and what to think of it. Nothing here touches
// the page.

import { duration } from "./dom.js";

export const programs = new Map(); // namespec to program

let clock = 0; // the server's clock less this one's, in seconds

export function setClock(now) {
  clock = now - Date.now() / 1000;
}

// now returns the server's time in seconds.
export function now() {
  return Date.now() / 1000 + clock;
}

const historyLength = 40;

// put takes a program as the stream tells it, and keeps its measurements.
export function put(info) {
  const old = programs.get(info.namespec);
  const fresh = !old || old.pid !== info.pid;
  programs.set(info.namespec, { ...info, cpu: fresh ? [] : old.cpu, rss: fresh ? [] : old.rss });
}

// measure adds measurements: [tenths of a percent or -1, KiB] by name.
export function measure(usage) {
  for (const p of programs.values()) {
    const u = usage[p.namespec];
    if (!u) {
      p.cpu = [];
      p.rss = [];
      continue;
    }
    p.cpu.push(u[0]);
    p.rss.push(u[1]);
    if (p.cpu.length > historyLength) {
      p.cpu.shift();
      p.rss.shift();
    }
  }
}

// latest returns the newest measurement of a list, or undefined.
export function latest(list) {
  const n = list.at(-1);
  return n === undefined || n < 0 ? undefined : n;
}

// sentence makes a sentence of a reason.
const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}${text.endsWith(".") ? "" : "."}`;

// nextStart says when a program will be started again, where that is known.
export function nextStart(p) {
  return p.nextstart ? `in ${duration(p.nextstart - now())}` : "";
}

// spawnError says why a program could not be started, with how it ended if it
// did start.
function spawnError(p, otherwise) {
  const ended = p.exitreason && (!p.spawnerr || p.spawnerr.startsWith("Exited too quickly"));
  return sentence(p.spawnerr || otherwise) + (ended ? ` ${sentence(p.exitreason)}` : "");
}

const flappingFor = 120; // seconds that a program must run to be believed

// problem returns what is wrong with a program, or null: its level ("bad" or
// "warn"), the class and word for its state, and the reason.
export function problem(p) {
  switch (p.statename) {
    case "FATAL":
      return { level: "bad", kind: "fatal", word: "fatal", why: spawnError(p, "it could not be started") };
    case "UNKNOWN":
      return { level: "bad", kind: "unknown", word: "unknown", why: sentence(p.spawnerr || "it could not be stopped") };
    case "BACKOFF":
      return { level: "warn", kind: "backoff", word: "backoff", why: `${spawnError(p, "it ended too early")} It will be tried again${p.nextstart ? ` ${nextStart(p)}` : ""}.` };
    case "EXITED":
      if (p.unexpected) return { level: "warn", kind: "unexpected", word: "exited", why: sentence(p.exitreason || `exit status ${p.exitstatus}`) +
        (p.nextstart ? ` It will be restarted ${nextStart(p)}.` : "") };
      break;
    case "STARTING":
    case "RUNNING":
      if (p.restarts >= 2 && now() - p.start < flappingFor) {
        return { level: "warn", kind: "flapping", word: `${p.statename.toLowerCase()}, flapping`,
          why: `Restarted by itself ${p.restarts} times${p.exitreason ? `; last ${p.exitreason}` : ""}.` };
      }
  }
  return null;
}

// category sorts a program into what the buttons above the table show.
export function category(p) {
  if (problem(p)) return "wrong";
  return p.statename === "RUNNING" || p.statename === "STARTING" ? "running" : "stopped";
}

// actions returns what can be done with a program in its state.
export function actions(p) {
  if (p.waiting) return ["start", "stop"];
  switch (p.statename) {
    case "RUNNING":
      return ["restart", "stop"];
    case "STARTING":
    case "BACKOFF":
      return ["stop"];
    case "STOPPING":
      return [];
  }
  return p.nextstart ? ["start", "stop"] : ["start"];
}

const severity = { bad: 0, warn: 1 };
const byName = (a, b) => (a.group < b.group ? -1 : a.group > b.group ? 1 : a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

const orders = {
  name: byName,
  state: (a, b) => a.state - b.state,
  up: (a, b) => (a.pid ? now() - a.start : -1) - (b.pid ? now() - b.start : -1),
  cpu: (a, b) => (latest(a.cpu) ?? -1) - (latest(b.cpu) ?? -1),
  rss: (a, b) => (latest(a.rss) ?? -1) - (latest(b.rss) ?? -1),
  restarts: (a, b) => a.restarts - b.restarts,
};

// view returns the programs to show, in order. sort is a key of orders, with
// "-" in front for descending.
export function view({ query, show, sort }) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const list = [...programs.values()].filter((p) => {
    const text = `${p.namespec} ${p.statename}`.toLowerCase();
    return (show === "all" || category(p) === show) && words.every((word) => text.includes(word));
  });
  const down = sort.startsWith("-") ? -1 : 1;
  const order = orders[sort.replace("-", "")] ?? byName;
  return list.sort((a, b) => down * order(a, b) || byName(a, b));
}

// wrong returns the programs that something is wrong with, the worst first.
export function wrong() {
  return [...programs.values()].filter(problem)
    .sort((a, b) => severity[problem(a).level] - severity[problem(b).level] || byName(a, b));
}
