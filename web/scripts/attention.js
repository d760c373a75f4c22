// The cards of the programs that something is wrong with, above all else.

import { $, make, setText, duration } from "./dom.js";
import { programs, problem, wrong, now } from "./model.js";
import { Buttons, logAddress } from "./table.js";
import { readLog } from "./logfile.js";
import { plain } from "./ansi.js";

const most = 8; // cards; of more than that the table tells
const tailBytes = 2048;
const tailLines = 6;

const cards = new Map();

// A Card tells what is wrong with one program, with its last words.
class Card {
  constructor(name) {
    this.name = name;
    this.state = make("span", { class: "state" });
    this.since = make("span", { class: "since" });
    this.why = make("p", { class: "why" });
    this.from = make("figcaption");
    this.tail = make("pre", { tabindex: "0", role: "region", "aria-label": `Last lines of ${name}` });
    this.words = make("figure", { hidden: true }, this.from, this.tail);
    this.buttons = new Buttons(name);
    const actions = make("div", { class: "actions" }, ...this.buttons.element.childNodes);
    this.buttons.element = actions;
    this.element = make("article", { class: "card", tabindex: "-1", "data-name": name, "aria-label": name },
      make("header", {}, this.state, make("h3", {}, make("a", { class: "name", href: logAddress(name, "stderr") }, name)), this.since, actions),
      this.why, this.words);
  }

  update() {
    const p = programs.get(this.name);
    const trouble = problem(p);
    this.element.classList.toggle("warn", trouble.level === "warn");
    this.state.className = `state ${trouble.kind}`;
    setText(this.state, trouble.word);
    setText(this.why, trouble.why);
    setText(this.since, [
      trouble.kind !== "flapping" && p.restarts ? `restarted ${p.restarts}×` : "",
      p.pid || !p.stop ? "" : `${duration(now() - p.stop)} ago`].filter(Boolean).join(", "));
    this.buttons.update();
    const moment = `${p.statename} ${p.start} ${p.stop} ${p.restarts}`;
    if (moment !== this.moment) {
      this.moment = moment;
      this.readTail(p);
    }
  }

  // show shows the last words of the program.
  show(stream, text) {
    setText(this.from, stream);
    setText(this.tail, text);
    this.words.hidden = !text;
  }

  // readTail shows the last lines of what the program had to say: those that
  // the daemon kept of its last failure, else what its log of standard error
  // has, or that of standard output.
  async readTail(p) {
    if (p.stderr_tail) {
      this.show("stderr", p.stderr_tail);
      return;
    }
    for (const stream of ["stderr", "stdout"]) {
      if (!p[`${stream}_logfile`]) continue;
      const part = await readLog({ processname: this.name, stream }, `-${tailBytes}`);
      const lines = part ? plain(new TextDecoder().decode(part.bytes)).trimEnd().split("\n") : [];
      if (part && part.from > 0) lines.shift();
      const text = lines.slice(-tailLines).join("\n");
      if (!text) continue;
      this.show(stream, text);
      return;
    }
  }
}

let order = "";

// render brings the cards up to date. showAll is called when all programs that
// something is wrong with are to be shown.
export function render(showAll) {
  const list = wrong();
  const names = list.slice(0, most).map((p) => p.namespec);
  for (const name of cards.keys()) if (!names.includes(name)) cards.delete(name);
  for (const name of names) {
    if (!cards.has(name)) cards.set(name, new Card(name));
    cards.get(name).update();
  }
  $("attention").hidden = !list.length;
  setText($("attention-title"), `Needs attention (${list.length})`);
  const next = JSON.stringify([names, list.length]);
  if (next === order) return;
  order = next;
  const focused = document.activeElement;
  const more = list.length > most
    ? [make("p", {}, make("button", { type: "button", onclick: showAll }, `Show all ${list.length}`))] : [];
  $("cards").replaceChildren(...names.map((name) => cards.get(name).element), ...more);
  if (focused !== document.activeElement && $("cards").contains(focused)) focused.focus({ preventScroll: true });
}
