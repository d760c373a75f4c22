// The log page: a window on a file that may be long, and may grow, be rotated
// or be cleared while it is watched.

import { $, make, setText, bytes } from "./dom.js";
import { readLog } from "./logfile.js";
import { Line, Lines, Note } from "./lines.js";
import { connect } from "./stream.js";
import { act, ask, busy, notify } from "./control.js";

const chunk = 256 << 10; // bytes that are read at a time
const skipBeyond = 1 << 20; // a follower that is farther behind jumps
const mostLines = 150_000;
const longest = 16 << 10; // bytes of a line; what is longer is cut into several
const searchChunks = 64; // chunks that a search for an older match goes back

const address = new URL(location);
const name = address.searchParams.get("processname") ?? "";
const log = name ? { processname: name, stream: address.searchParams.get("stream") === "stderr" ? "stderr" : "stdout" } : {};

const view = $("log");
const lines = new Lines(view);
const decoder = new TextDecoder();

// The window: the file that its first line is from and where that begins, the
// file that is read from and up to where, and how long that is.
let headId = "", start = 0, id = "", end = 0, size = 0;
let carry = new Uint8Array(); // the bytes of the last line, while it has no end
let partial = false; // whether the last line shown is that one
let following = true;
let missed = 0;
let meant = -Infinity; // when a person scrolled last

// Reading and writing the window is done in turns, never two at once.
let turn = Promise.resolve();
function inTurn(work) {
  turn = turn.then(work).catch((err) => notify(`The log could not be shown: ${err.message}.`, { bad: true }));
  return turn;
}

// cut returns the lines of bytes that begin at an offset of a file, and how
// many bytes at the end belong to a line that is not complete.
function cut(data, offset, file) {
  const list = [];
  let from = 0;
  for (let i = 0; i < data.length; i++) {
    if (data[i] === 10 || i - from >= longest) {
      list.push(new Line(file, offset + from, decoder.decode(data.subarray(from, i + (data[i] === 10 ? 0 : 1)))));
      from = i + 1;
    }
  }
  return { list, rest: data.subarray(from) };
}

function join(a, b) {
  if (!a.length) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

// take appends bytes that were read at the end of the window.
function take(data) {
  const { list, rest } = cut(join(carry, data), end - carry.length, id);
  end += data.length;
  carry = rest.slice();
  if (carry.length) list.push(new Line(id, end - carry.length, decoder.decode(carry)));
  if (partial && list.length) lines.replaceLast(list.shift());
  partial = carry.length > 0;
  lines.append(list);
  if (!following) return;
  lines.trim(mostLines);
  const first = lines.first();
  if (first) [headId, start] = [first.id, first.offset];
}

// show begins a new window at a place of the file: an offset, or -1 for the
// end. A line that was begun before it is left out.
async function show(offset, file) {
  const before = offset < 0 ? 0 : Math.min(offset, chunk / 4);
  const range = offset < 0 ? `-${chunk}` : `${offset - before}-${offset - before + chunk - 1}`;
  const part = await readLog(file ? { ...log, id: file } : log, range);
  lines.clear();
  carry = new Uint8Array();
  partial = false;
  if (!part) {
    [headId, start, id, end, size] = ["", 0, "", 0, 0];
    lines.append([new Note(part === undefined ? "The log could not be read." : file ? "This file does not exist any more." : "There is no log file.")]);
    return false;
  }
  let data = part.bytes, from = part.from;
  if (from > 0) {
    const at = data.indexOf(10) + 1;
    data = data.subarray(at);
    from += at;
  }
  [headId, start, id, end, size] = [part.id, from, part.id, from, part.size];
  take(data);
  if (!part.size) lines.append([new Note("The log is empty.")]);
  return true;
}

// older reads what is before the window; it reports whether there was any.
async function older() {
  if (start <= 0 || !headId) return false;
  const from = Math.max(start - chunk, 0);
  const part = await readLog({ ...log, id: headId }, `${from}-${start - 1}`);
  if (!part || part.id !== headId || part.from !== from || !part.bytes.length) {
    start = 0; // The file is gone.
    return false;
  }
  const skip = from > 0 ? part.bytes.indexOf(10) + 1 : 0;
  // A chunk without an end of line is a part of one long line.
  const first = skip < part.bytes.length ? skip : 0;
  const { list, rest } = cut(part.bytes.subarray(first), from + first, headId);
  if (rest.length) list.push(new Line(headId, start - rest.length, decoder.decode(rest)));
  start = from + first;
  lines.prepend(list);
  return true;
}

// newer reads what is behind the window, at most one chunk, and goes on in the
// next file if this one was rotated away. It reports whether there is more.
async function newer() {
  if (!id || latest.id === id && latest.size === end) return false;
  const part = await readLog({ ...log, id }, `${end}-${end + chunk - 1}`);
  if (part === undefined) return false;
  if (!part) return next("The log was replaced.");
  if (part.size < end) {
    begin("The log was cleared.", part);
    headId = ""; // What was there before cannot be read again.
    start = 0;
    return size > 0;
  }
  if (part.bytes.length) take(part.bytes);
  size = part.size;
  if (end < size) return true;
  return latest.id !== "" && latest.id !== id && next("The log was rotated.");
}

// next goes on with the newest file; it reports whether there is one.
function next(why) {
  begin(why, latest.id === id ? { id: "", size: 0 } : latest);
  return size > 0;
}

// begin goes on at the beginning of a file, behind a note.
function begin(why, file) {
  lines.append([new Note(why)]);
  carry = new Uint8Array();
  partial = false;
  [id, end, size] = [file.id, 0, file.size];
}

let latest = { id: "", size: 0 }; // as the stream told last

// catchUp reads all there is while the log is followed.
async function catchUp() {
  if (!following) return;
  if (!id && lines.first()) [id, end] = [latest.id, 0];
  if (!id || (latest.id === id && latest.size - end > skipBeyond)) {
    const skipped = id ? latest.size - end - chunk : 0;
    await show(-1);
    if (skipped > 0) lines.prepend([new Note(`${bytes(skipped)} are not shown: they came faster than this page reads.`)]);
  }
  while (following && await newer());
  stick();
  if (lines.query) {
    matches = lines.matches();
    count();
  }
  refresh();
}

function stick() {
  if (following) view.scrollTop = view.scrollHeight;
}

// follow begins or ends following.
function follow(on) {
  following = on;
  meant = -Infinity; // What was done before means nothing any more.
  $("follow").setAttribute("aria-pressed", on);
  setText($("follow"), on ? "Following" : "Follow");
  if (on) inTurn(catchUp);
  refresh();
}

// refresh shows where in the file the view is.
function refresh() {
  const line = lines.top();
  const at = following ? size : line && line.id === id ? line.offset : 0;
  const total = Math.max(size, latest.id === id ? latest.size : 0);
  $("place").value = total ? Math.round((at / total) * 1000) : 1000;
  $("place").setAttribute("aria-valuetext", `${bytes(at)} of ${bytes(total)}`);
  setText($("where"), total ? `${bytes(at)} of ${bytes(total)}` : "");
  missed = latest.id && (latest.id !== id || latest.size > end) && !following ? Math.max(latest.size - (latest.id === id ? end : 0), 0) : 0;
  setText($("live"), condition === "lost" ? "No connection" : following ? "Following" : missed ? `Paused, ${bytes(missed)} more` : "Paused");
  $("live").classList.toggle("lost", condition === "lost");
  $("live").classList.toggle("waiting", condition !== "lost" && !following);
}

let condition = "";

// Only what a person does ends following, and only upwards.
const scrollKeys = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " "];
let lastTop = 0;
for (const kind of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  view.addEventListener(kind, (event) => {
    if (kind !== "keydown" || scrollKeys.includes(event.key)) meant = performance.now();
  }, { passive: true });
}
let loading = false;
view.addEventListener("scroll", () => {
  const below = view.scrollHeight - view.scrollTop - view.clientHeight;
  if (performance.now() - meant < 1500) {
    if (following && below > 40 && view.scrollTop < lastTop) follow(false);
    else if (!following && below < 4 && end >= size && latest.id === id) follow(true);
  }
  lastTop = view.scrollTop;
  if (loading || following && view.scrollTop > 0) return;
  const work = view.scrollTop < 800 && start > 0 ? older : !following && below < 800 && (end < size || missed) ? newer : null;
  if (work) {
    loading = true;
    inTurn(work).then(() => { loading = false; });
  }
  refresh();
});
new ResizeObserver(stick).observe(view);
lines.settled = stick;

// goTo shows a place of the file.
async function goTo(offset, file) {
  follow(false);
  await inTurn(async () => {
    if (!await show(offset, file)) return;
    const line = [...lines].find((candidate) => !candidate.note && candidate.offset >= offset) ?? lines.first();
    if (line) lines.reveal(line);
    refresh();
  });
}

// Searching

let matches = [];
let timer = 0;

function search() {
  lines.highlight($("search").value);
  matches = lines.matches();
  count();
}

function count(extra = "") {
  const at = matches.indexOf(lines.current);
  const total = `${matches.length}${start > 0 ? "+" : ""}`;
  setText($("matches"), extra || (!$("search").value ? "" : at < 0 ? total : `${at + 1} of ${total}`));
}

async function step(by) {
  if (!$("search").value) return $("search").focus();
  search();
  let at = matches.indexOf(lines.current);
  if (at < 0) {
    // From what is seen, or from the end while that is followed.
    const places = new Map([...lines].map((line, i) => [line, i]));
    const from = following ? places.size : places.get(lines.top());
    if (by < 0) at = matches.findLastIndex((line) => places.get(line) < from) + 1;
    else at = (matches.findIndex((line) => places.get(line) >= from) + matches.length + 1) % (matches.length + 1) - 1;
  }
  follow(false);
  let target = matches[at + by];
  for (let tries = 0; !target && by < 0 && start > 0 && tries < searchChunks; tries++) {
    count("searching…");
    const known = matches.length;
    await inTurn(older);
    matches = lines.matches();
    target = matches[matches.length - known - 1];
  }
  if (target) lines.reveal(target);
  count(target ? "" : by < 0 ? "no older match" : "no newer match");
  refresh();
}

$("search").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(search, 120);
});
$("search").addEventListener("keydown", (event) => {
  if (event.key === "Enter") step(event.shiftKey ? 1 : -1);
  if (event.key === "Escape") {
    $("search").value = "";
    search();
    view.focus();
  }
});
$("previous").addEventListener("click", () => step(-1));
$("next").addEventListener("click", () => step(1));

// The other controls

$("follow").addEventListener("click", () => follow(!following));
$("wrap").addEventListener("click", () => wrap(!view.classList.contains("wrap")));
$("place").addEventListener("change", () => {
  const fraction = $("place").value / 1000;
  if (fraction >= 1) follow(true);
  else goTo(Math.floor(fraction * Math.max(size, latest.size)));
});

function wrap(on) {
  lines.keepPlace(() => view.classList.toggle("wrap", on));
  $("wrap").setAttribute("aria-pressed", on);
  try {
    localStorage.setItem("wrap", on);
  } catch { /* It then holds for this page only. */ }
  stick();
}

$("link").addEventListener("click", async () => {
  const line = lines.current ?? lines.top();
  if (!line) return;
  const url = new URL("log.html", document.baseURI);
  for (const [key, value] of Object.entries({ ...log, at: line.offset, id: line.id })) url.searchParams.set(key, value);
  history.replaceState(null, "", url);
  try {
    await navigator.clipboard.writeText(url.href);
    notify("The link to this place is copied.");
  } catch {
    notify("The address of this page is now the link to this place.");
  }
});

// A program's logs can be cleared, both at once as with supervisorctl.
$("clear")?.addEventListener("click", async () => {
  const body = [make("p", {}, `What ${name} has written to stdout and to stderr is lost then.`)];
  if (await ask(`Clear the logs of ${name}?`, { body, yes: "Clear", danger: true })) busy($("clear"), () => act("clearlog", { processname: name }));
});

const shortcuts = { f: () => follow(!following), w: () => $("wrap").click(), n: () => step(1), N: () => step(-1),
  g: () => goTo(0), G: () => follow(true), "/": () => $("search").focus(), u: () => { location.href = "index.html"; } };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches("input") || document.querySelector("dialog")) return;
  const run = Object.hasOwn(shortcuts, event.key) && shortcuts[event.key];
  if (!run) return;
  event.preventDefault();
  run();
});

let remembered = "true";
try {
  remembered = localStorage.getItem("wrap") ?? "true";
} catch { /* Lines are wrapped then. */ }
view.classList.toggle("wrap", remembered !== "false");
$("wrap").setAttribute("aria-pressed", remembered !== "false");

const at = address.searchParams.get("at");
if (at !== null && /^\d+$/.test(at)) goTo(Number(at), address.searchParams.get("id") ?? "");
else follow(true);

connect(`api/follow?${new URLSearchParams(log)}`, {
  size(told) {
    latest = told;
    if (following) inTurn(catchUp);
    else refresh();
  },
  gone({ message }) {
    notify(`The log cannot be followed: ${message}.`, { bad: true });
  },
}, (now) => {
  condition = now;
  refresh();
}, () => 25_000);
