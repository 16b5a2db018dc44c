/**
 * Server-sent events from bytes, after WHATWG HTML 9.2.6. No I/O.
 * CR, LF and CRLF end lines, also across chunks; one leading BOM is dropped; an id with NUL is ignored;
 * a block without data dispatches nothing but still moves the last id; an unfinished block is discarded.
 */
export interface ServerEvent {
  type: string;
  data: string;
  /** The last id seen up to and with this event; empty when there was none or it was reset. */
  id: string;
}

/** A line longer than this is no event of ours: a record is at most 1 MB, escaped at most six times that. */
const LONGEST_LINE = 8_000_000;

export class EventParser {
  /** What to resume from; survives a change of connection when the parser is given it again. */
  lastEventId: string;
  /** Reconnection time that the server asked for, in milliseconds. */
  retry: number | null = null;

  #decoder = new TextDecoder();
  #rest = '';
  #afterCarriageReturn = false;
  #type = '';
  #data: string[] = [];
  #id: string;

  constructor(lastEventId = '') {
    this.lastEventId = this.#id = lastEventId;
  }

  push(chunk: Uint8Array): ServerEvent[] {
    let text = this.#decoder.decode(chunk, { stream: true });
    if (text === '') return [];
    if (this.#afterCarriageReturn && text.startsWith('\n')) text = text.slice(1);
    this.#afterCarriageReturn = text === '' ? false : text.endsWith('\r');

    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LONGEST_LINE) throw new Error('a line of the stream is too long');
    return lines.map((line) => this.#line(line)).filter((event) => event !== null);
  }

  #line(line: string): ServerEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    this.#field(field, value);
    return null;
  }

  #field(field: string, value: string): void {
    if (field === 'data') this.#data.push(value);
    else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^[0-9]+$/.test(value)) this.retry = Number(value);
  }

  #dispatch(): ServerEvent | null {
    this.lastEventId = this.#id;
    const event = { type: this.#type || 'message', data: this.#data.join('\n'), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = '';
    this.#data = [];
    return empty ? null : event;
  }
}
