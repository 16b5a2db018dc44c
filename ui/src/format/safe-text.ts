/**
 * Hostile text, made harmless for the eye: everything that would be invisible, move the cursor or turn the reading
 * direction is replaced by something that shows. The result is for text nodes only; it is never markup.
 */
const DELETE = 0x7f;
/** Not the control pictures of Unicode: few fonts have them. */
const NAMES =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'.split(
    ' ',
  );

/** Bidirectional overrides and marks, zero-width characters, line separators, tag characters. */
const INVISIBLE =
  /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;
const LONE_SURROGATE = /\p{Surrogate}/gu;

const codePoint = (char: string): string =>
  `⟨U+${(char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}⟩`;

function controlName(char: string): string {
  const code = char.charCodeAt(0);
  const name = code === DELETE ? 'DEL' : NAMES[code];
  return name === undefined ? codePoint(char) : `⟨${name}⟩`;
}

const reveal = (text: string): string => text.replace(LONE_SURROGATE, '\ufffd').replace(INVISIBLE, codePoint);

/** On one line: line ends become `⏎`, tabs one `⇥`, longer text is cut and ends with `…`. */
export function oneLine(text: string, longest = 2000): string {
  const cut = text.length > longest ? `${text.slice(0, longest)}…` : text;
  const joined = cut.replace(/\r\n|\n|\r/g, '⏎').replace(/\t/g, '⇥');
  return reveal(joined.replace(CONTROL, controlName));
}

/** On several lines: line ends and tabs stay. */
export function manyLines(text: string, longest = 20_000): string {
  const cut = text.length > longest ? text.slice(0, longest) : text;
  const joined = cut.replace(/\r\n|\r/g, '\n');
  return reveal(
    joined.replace(CONTROL, (char) => (char === '\n' || char === '\t' ? char : controlName(char))),
  );
}

/** Addresses come from outside too: only http and https become links. */
export function safeHref(url: string | null | undefined): string | undefined {
  if (!url) return undefined;
  try {
    const { protocol, href } = new URL(url);
    return protocol === 'https:' || protocol === 'http:' ? href : undefined;
  } catch {
    return undefined;
  }
}

export const shortRevision = (revision: string): string => oneLine(revision, 64).slice(0, 7);
