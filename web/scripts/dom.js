// Small things that every page needs: making elements, and wording times and
// sizes. Text from outside gets into a page as text only.

const byId = new Map();

// $ returns the element of the page with an id.
export function $(id) {
  if (!byId.has(id)) byId.set(id, document.getElementById(id));
  return byId.get(id);
}

// make returns an element with properties (on..., class, data and aria
// attributes, or plain ones) and children, which are elements or text.
export function make(tag, props, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// setText changes the text of an element only if it differs.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// duration words a number of seconds with at most two units.
export function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const at = units.findIndex(([, size]) => s >= size);
  if (at < 0) return "0 s";
  const [unit, size] = units[at];
  const text = `${Math.floor(s / size)} ${unit}`;
  if (at === units.length - 1) return text;
  const [small, smallSize] = units[at + 1];
  const rest = Math.floor((s % size) / smallSize);
  return rest ? `${text} ${rest} ${small}` : text;
}

// bytes words a number of bytes.
export function bytes(n) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let i = 0;
  for (; n >= 1000 && i < units.length - 1; i++) n /= 1024;
  return `${n < 10 && i > 0 ? n.toFixed(1) : Math.round(n)} ${units[i]}`;
}

// plural words a count: plural(2, "program") is "2 programs".
export function plural(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

// escapeName escapes a name for a query.
export const escapeName = encodeURIComponent;
