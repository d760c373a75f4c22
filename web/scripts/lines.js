// A list of lines of which only those near the view exist as elements, so that
// a hundred thousand of them scroll as smoothly as a hundred.

import { make } from "./dom.js";
import { parse } from "./ansi.js";

const perBlock = 100;
const stamp = /^\[?(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d)\]?/;

// A line knows its file, where it begins in it, and its text.
export class Line {
  constructor(id, offset, raw) {
    this.id = id;
    this.offset = offset;
    Object.assign(this, parse(raw));
  }
}

// A note is a line of ours between those of the log.
export class Note {
  constructor(text) {
    this.text = text;
    this.note = true;
    this.runs = [];
  }
}

export class Lines {
  // view is the element that scrolls.
  constructor(view) {
    this.view = view;
    this.blocks = [];
    this.byElement = new Map();
    this.query = "";
    this.current = null;
    this.rowHeight = parseFloat(getComputedStyle(view).lineHeight) || 20;
    this.settled = () => {}; // called when heights may have changed
    this.observer = new IntersectionObserver((entries) => {
      this.keepPlace(() => {
        for (const entry of entries) {
          const block = this.byElement.get(entry.target);
          if (block) this.#show(block, entry.isIntersecting);
        }
      });
      this.settled();
    }, { root: view, rootMargin: "1200px 0px" });
  }

  get length() {
    return this.blocks.reduce((n, block) => n + block.lines.length, 0);
  }

  clear() {
    this.observer.disconnect();
    this.byElement.clear();
    this.blocks = [];
    this.view.replaceChildren();
    this.current = null;
  }

  append(lines) {
    let block = this.blocks.at(-1);
    for (let done = 0; done < lines.length;) {
      if (!block || block.lines.length >= perBlock) {
        block = this.#makeBlock([]);
        this.blocks.push(block);
        this.view.append(block.element);
      }
      const more = lines.slice(done, done + perBlock - block.lines.length);
      block.lines.push(...more);
      if (block.shown) block.element.append(...more.map((line) => this.#render(line)));
      else this.#reserve(block);
      done += more.length;
    }
  }

  prepend(lines) {
    const made = [];
    for (let end = lines.length; end > 0; end -= perBlock) {
      made.unshift(this.#makeBlock(lines.slice(Math.max(end - perBlock, 0), end)));
    }
    this.blocks.unshift(...made);
    this.keepPlace(() => this.view.prepend(...made.map((block) => block.element)));
  }

  // replaceLast puts a line in the place of the last one.
  replaceLast(line) {
    const block = this.blocks.at(-1);
    if (!block?.lines.length) return;
    block.lines[block.lines.length - 1] = line;
    if (block.shown) block.element.lastChild.replaceWith(this.#render(line));
  }

  // trim drops the oldest lines beyond a number, in whole blocks.
  trim(most) {
    let n = this.length;
    while (n - perBlock > most) {
      const block = this.blocks.shift();
      n -= block.lines.length;
      this.observer.unobserve(block.element);
      this.byElement.delete(block.element);
      block.element.remove();
    }
  }

  *[Symbol.iterator]() {
    for (const block of this.blocks) yield* block.lines;
  }

  first() {
    return this.blocks[0]?.lines.find((line) => !line.note);
  }

  // top returns the first line that can be seen.
  top() {
    const edge = this.view.getBoundingClientRect().top;
    for (const block of this.blocks) {
      if (!block.shown || block.element.getBoundingClientRect().bottom <= edge) continue;
      for (const [i, element] of [...block.element.children].entries()) {
        if (element.getBoundingClientRect().bottom > edge + 1) return block.lines[i];
      }
    }
    return this.first();
  }

  // highlight marks what the query is found in.
  highlight(query) {
    this.query = query.toLowerCase();
    for (const block of this.blocks) if (block.shown) this.#fill(block);
  }

  // matches returns the lines that the query is found in.
  matches() {
    if (!this.query) return [];
    return [...this].filter((line) => !line.note && line.text.toLowerCase().includes(this.query));
  }

  // reveal marks a line as the current one and scrolls to it.
  reveal(line) {
    const old = this.current;
    this.current = line;
    for (const block of this.blocks) {
      if (old && block.shown && block.lines.includes(old)) this.#fill(block);
      const at = block.lines.indexOf(line);
      if (at < 0) continue;
      this.#show(block, true);
      this.#fill(block);
      block.element.children[at].scrollIntoView({ block: "center" });
    }
  }

  // keepPlace does something that changes heights, and keeps the line that is
  // seen first where it is.
  keepPlace(change) {
    const anchor = this.blocks.find((block) => block.shown && block.element.isConnected
      && block.element.getBoundingClientRect().bottom > this.view.getBoundingClientRect().top)?.element;
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (anchor) this.view.scrollTop += anchor.getBoundingClientRect().top - before;
  }

  #makeBlock(lines) {
    const block = { lines, element: make("div", { class: "block" }), shown: false };
    this.byElement.set(block.element, block);
    this.#reserve(block);
    this.observer.observe(block.element);
    return block;
  }

  // #reserve gives a block that is not shown the height that it will have.
  #reserve(block) {
    const height = block.height && block.heightOf === block.lines.length ? block.height : block.lines.length * this.rowHeight;
    block.element.style.height = `${height}px`;
  }

  #show(block, shown) {
    if (block.shown === shown) return;
    block.shown = shown;
    if (shown) {
      this.#fill(block);
      block.element.style.height = "";
      return;
    }
    block.height = block.element.getBoundingClientRect().height;
    block.heightOf = block.lines.length;
    this.#reserve(block);
    block.element.replaceChildren();
  }

  #fill(block) {
    block.element.replaceChildren(...block.lines.map((line) => this.#render(line)));
  }

  // #render makes the element of a line: its text, cut where the colour, a
  // match or the time stamp begins or ends.
  #render(line) {
    if (line.note) return make("div", { class: "note" }, line.text);
    const element = make("div", { class: line === this.current ? "line current" : "line" });
    const text = line.text;
    const marks = this.query ? found(text.toLowerCase(), this.query) : [];
    const stamped = stamp.exec(text)?.[0].length ?? 0;
    if (!marks.length && !line.runs.length && !stamped) {
      element.textContent = text || "\u200b";
      return element;
    }
    const cuts = new Set([0, text.length, stamped]);
    for (const { from, to } of [...line.runs, ...marks]) cuts.add(from).add(to);
    const places = [...cuts].sort((a, b) => a - b);
    for (let i = 0; i + 1 < places.length; i++) {
      element.append(piece(text.slice(places[i], places[i + 1]), places[i], line.runs, marks, stamped));
    }
    return element;
  }
}

// found returns where a word is in a text.
function found(text, word) {
  const result = [];
  for (let at = text.indexOf(word); at >= 0 && result.length < 1000; at = text.indexOf(word, at + word.length)) {
    result.push({ from: at, to: at + word.length });
  }
  return result;
}

// piece makes the element of a part of a line that looks the same throughout.
function piece(text, at, runs, marks, stamped) {
  const covers = ({ from, to }) => from <= at && at < to;
  const run = runs.find(covers);
  const marked = marks.some(covers);
  const classes = [...(run?.classes ?? []), ...(at < stamped ? ["stamp"] : [])].join(" ");
  if (!marked && !classes && !run) return text;
  const element = make(marked ? "mark" : "span", { class: classes || null }, text);
  if (run?.color) element.style.color = run.color;
  if (run?.background) element.style.backgroundColor = run.background;
  return element;
}
