// Text with the escape sequences of terminals: what it says, and how it is
// coloured.

// A sequence is a control sequence, an operating system command or another
// short escape, whole or cut off by the end of the line.
const sequence = /\x1b(?:\[([0-9:;<=>?]*)[ -/]*([@-~]?)|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[PX^_][^\x1b]*(?:\x1b\\)?|[ -/]*[0-~]?)/g;
const control = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

// visible makes the other control characters visible and harmless.
function visible(text) {
  return text.replace(control, (c) => (c < " " ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : c === "\x7f" ? "␡" : "\ufffd"));
}

// plain returns text without sequences.
export function plain(text) {
  return visible(text.replace(/\r(?=\n|$)/g, "").replace(sequence, "")).replaceAll("␊", "\n");
}

// parse returns the plain text of a line and its runs of one look each:
// {from, to, classes, color, background}.
export function parse(line) {
  if (line.endsWith("\r")) line = line.slice(0, -1);
  if (!line.includes("\x1b")) return { text: visible(line), runs: [] };
  const runs = [];
  let look = {};
  let text = "";
  let done = 0;
  const put = (piece) => {
    const from = text.length;
    text += visible(piece);
    if (text.length > from && Object.keys(look).length) runs.push({ from, to: text.length, ...style(look) });
  };
  for (const match of line.matchAll(sequence)) {
    put(line.slice(done, match.index));
    done = match.index + match[0].length;
    if (match[2] === "m") look = select(look, match[1]);
  }
  put(line.slice(done));
  return { text, runs };
}

// select applies the parameters of a "select graphic rendition".
function select(old, parameters) {
  let look = { ...old };
  const codes = parameters.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const n = codes[i];
    if (n === 0) look = {};
    else if (n === 1 || n === 2 || n === 3 || n === 4 || n === 7 || n === 9) look[`s${n}`] = true;
    else if (n === 22) delete look.s1, delete look.s2;
    else if (n === 23 || n === 24 || n === 27 || n === 29) delete look[`s${n - 20}`];
    else if (n >= 30 && n <= 37) look.color = n - 30;
    else if (n >= 90 && n <= 97) look.color = n - 82;
    else if (n >= 40 && n <= 47) look.background = n - 40;
    else if (n >= 100 && n <= 107) look.background = n - 92;
    else if (n === 39) delete look.color;
    else if (n === 49) delete look.background;
    else if (n === 38 || n === 48) {
      const [color, used] = extended(codes.slice(i + 1));
      if (color !== null) look[n === 38 ? "color" : "background"] = color;
      i += used;
    }
  }
  return look;
}

// extended reads a colour of 256 or of 16 million, and how many codes it took.
function extended(codes) {
  if (codes[0] === 5) {
    const n = codes[1] & 255;
    if (n < 16) return [n, 2];
    if (n >= 232) return [rgb(Array(3).fill(8 + (n - 232) * 10)), 2];
    return [rgb([36, 6, 1].map((d) => Math.floor((n - 16) / d) % 6).map((v) => (v ? 55 + v * 40 : 0))), 2];
  }
  if (codes[0] === 2 && codes.length >= 4) return [rgb(codes.slice(1, 4).map((v) => v & 255)), 4];
  return [null, 1];
}

const rgb = (parts) => `rgb(${parts.join(" ")})`;

// style returns classes for what the stylesheet knows, and colours for the
// rest.
function style(look) {
  const classes = Object.keys(look).filter((key) => look[key] === true);
  const result = { classes };
  for (const [key, letter] of [["color", "f"], ["background", "b"]]) {
    if (typeof look[key] === "number") classes.push(letter + look[key]);
    else if (look[key]) result[key] = look[key];
  }
  return result;
}
