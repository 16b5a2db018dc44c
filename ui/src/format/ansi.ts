/**
 * Terminal text for the eye: colours and weight of an allow-list, everything else of what a terminal obeys is dropped.
 * Nothing here ever becomes markup or a link: the looks are names of classes, and there are eleven of them.
 */
export interface AnsiPart {
  text: string;
  /** Classes by a space; empty for plain text. */
  look: string;
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const;
/** What comes from a record has its control characters spelled out, so both spellings are known. */
const ESCAPE = /\x1b|\x9b|\x9d|\\u00(?:1b|9b|9d)/g;
const CSI = /[0-9:;<=>?]{0,200}[ -/]{0,8}[@-~]/y;
const STRING_END = /\x07|\x9c|\x1b\\|\\u0007|\\u009c|\\u001b\\/g;
/** An operating system command that has no end within so much is none: its text must not vanish. */
const LONGEST_STRING = 2_000;
/** Looks that a line may have; behind them it is plain. A page drawn of 10,000 elements a line is no page. */
const MOST_PARTS = 200;

interface Look {
  colour: string;
  bold: boolean;
  faint: boolean;
  italic: boolean;
  underline: boolean;
}
const PLAIN: Look = { colour: '', bold: false, faint: false, italic: false, underline: false };

/** 16 colours of 256; the others have no name here. */
const colourOf = (n: number): string => (n < 16 ? (COLOURS[n % 8] ?? '') : '');

function select(look: Look, parameters: string): Look {
  const codes = parameters.split(/[;:]/).map((code) => (code === '' ? 0 : Number(code)));
  let now = look;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    const extended = code === 38 || code === 48 || code === 58;
    if (extended) {
      const byIndex = codes[i + 1] === 5;
      if (code === 38) now = { ...now, colour: byIndex ? colourOf(codes[i + 2] ?? 16) : '' };
      i += byIndex ? 2 : 4;
    } else now = plainSelect(now, code);
  }
  return now;
}

function plainSelect(look: Look, code: number): Look {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...look, bold: true };
  if (code === 2) return { ...look, faint: true };
  if (code === 3) return { ...look, italic: true };
  if (code === 4) return { ...look, underline: true };
  if (code === 22) return { ...look, bold: false, faint: false };
  if (code === 23) return { ...look, italic: false };
  if (code === 24) return { ...look, underline: false };
  if (code === 39) return { ...look, colour: '' };
  if (code >= 30 && code <= 37) return { ...look, colour: colourOf(code - 30) };
  if (code >= 90 && code <= 97) return { ...look, colour: colourOf(code - 90) };
  return look;
}

const classes = (look: Look): string =>
  look === PLAIN
    ? ''
    : [
        look.colour && `ansi-${look.colour}`,
        look.bold && 'bold',
        look.faint && 'faint',
        look.italic && 'italic',
      ]
        .concat(look.underline ? 'underline' : [])
        .filter(Boolean)
        .join(' ');

/** Where a command ends that begins at `at`, and what it makes of the look. */
class Reader {
  /** From here on no string has an end: looking again for each of them would take the square of their number. */
  #endless = Infinity;

  constructor(readonly text: string) {}

  command(at: number, introducer: string, look: Look): { end: number; look: Look } {
    const code = introducer.length === 1 ? introducer.charCodeAt(0) : parseInt(introducer.slice(2), 16);
    const next = this.text[at] ?? '';
    if (code === 0x9b) return this.#csi(at, look);
    if (code === 0x9d) return { end: this.#string(at), look };
    if (next === '[') return this.#csi(at + 1, look);
    if (next === ']' || next === 'P' || next === '^' || next === '_' || next === 'X')
      return { end: this.#string(at + 1), look };
    return { end: /[ -/]/.test(next) ? at + 2 : /[0-~]/.test(next) ? at + 1 : at, look };
  }

  #csi(at: number, look: Look): { end: number; look: Look } {
    CSI.lastIndex = at;
    const found = CSI.exec(this.text)?.[0];
    if (found === undefined) return { end: at, look };
    const sgr = found.endsWith('m') && /^[0-9;:]*m$/.test(found);
    return { end: at + found.length, look: sgr ? select(look, found.slice(0, -1)) : look };
  }

  #string(at: number): number {
    if (at >= this.#endless) return at;
    STRING_END.lastIndex = at;
    const end = STRING_END.exec(this.text);
    if (!end) this.#endless = at;
    return end && end.index - at <= LONGEST_STRING ? STRING_END.lastIndex : at;
  }
}

export function parseAnsi(text: string): AnsiPart[] {
  if (!/[\x1b\x9b\x9d]|\\u00/.test(text)) return [{ text, look: '' }];
  const reader = new Reader(text);
  const parts: AnsiPart[] = [];
  let look = PLAIN;
  let shown = '';
  let from = 0;
  const push = (to: number) => {
    if (to <= from) return;
    const part = { text: text.slice(from, to), look: parts.length < MOST_PARTS ? shown : '' };
    const last = parts.at(-1);
    if (last?.look === part.look) last.text += part.text;
    else parts.push(part);
  };
  ESCAPE.lastIndex = 0;
  for (let found = ESCAPE.exec(text); found; found = ESCAPE.exec(text)) {
    push(found.index);
    const done = reader.command(ESCAPE.lastIndex, found[0], look);
    if (done.look !== look) shown = classes(done.look);
    look = done.look;
    from = ESCAPE.lastIndex = done.end;
  }
  push(text.length);
  return parts.length > 0 ? parts : [{ text: '', look: '' }];
}

/** Without what a terminal obeys. */
export const withoutAnsi = (text: string): string =>
  parseAnsi(text)
    .map((part) => part.text)
    .join('');
