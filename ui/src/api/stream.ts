import { delayBeforeTry } from './backoff';
import { problemOf } from './http';
import { EventParser, type ServerEvent } from './sse';

/**
 * A stream of server-sent events that comes back by itself. EventSource gives up for ever after an answer that is not
 * 200, so this reads `fetch`: any failure is tried again with back-off, resuming behind the last id; silence longer
 * than `SILENCE_MS` counts as failure; 401 and 204 end it. It never throws.
 */
export type Link =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'waiting'; reason: string; retryAt: number }
  | { state: 'refused' }
  | { state: 'closed' };

export interface StreamOptions {
  url: (lastEventId: string) => string;
  onEvent: (event: ServerEvent) => void;
  onLink?: (link: Link) => void;
  /** Any byte, heartbeats and comments too. */
  onByte?: () => void;
  lastEventId?: string;
  fetch?: typeof fetch;
  random?: () => number;
}

/** The table sends at least a heartbeat every 15 s: two lost and some slack. */
export const SILENCE_MS = 35_000;
/** A connection that held this long was a good one: the next back-off starts small again. */
const GOOD_AFTER_MS = 5_000;

export class Stream {
  #options: StreamOptions;
  #parser: EventParser;
  #link: Link = { state: 'closed' };
  #attempt = 0;
  #abort: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #heardAt = 0;

  constructor(options: StreamOptions) {
    this.#options = options;
    this.#parser = new EventParser(options.lastEventId);
  }

  get lastEventId(): string {
    return this.#parser.lastEventId;
  }

  get link(): Link {
    return this.#link;
  }

  start(): void {
    if (this.#link.state !== 'closed') return;
    this.#attempt = 0;
    void this.#connect();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.#set({ state: 'closed' });
  }

  /** Try now: the network is back, or the tab is looked at again and timers may have slept. */
  wake(): void {
    const silent = this.#link.state === 'live' && Date.now() - this.#heardAt > SILENCE_MS;
    if (this.#link.state === 'waiting' || silent) this.#reconnect(0, 'woken');
  }

  #set(link: Link): void {
    this.#link = link;
    this.#options.onLink?.(link);
  }

  async #connect(): Promise<void> {
    const abort = (this.#abort = new AbortController());
    this.#parser = this.#fresh();
    this.#set({ state: 'connecting' });
    this.#watch();
    const openedAt = Date.now();
    const end = await this.#read(abort).catch((error) => ({
      reason: String(error?.message ?? error),
      waitMs: 0,
    }));
    if (abort !== this.#abort || end === null) return;
    if (Date.now() - openedAt > GOOD_AFTER_MS) this.#attempt = 0;
    const floorMs = Math.max(end.waitMs, this.#parser.retry ?? 0);
    const random = this.#options.random ?? Math.random;
    this.#reconnect(delayBeforeTry(this.#attempt++, { floorMs, random }), end.reason);
  }

  /** A new parser, because the bytes of the last connection may have ended in the middle of a block. */
  #fresh(): EventParser {
    const parser = new EventParser(this.#parser.lastEventId);
    parser.retry = this.#parser.retry;
    return parser;
  }

  /** Null when the stream is over for good, else why it ended. */
  async #read(abort: AbortController): Promise<{ reason: string; waitMs: number } | null> {
    const url = this.#options.url(this.lastEventId);
    const response = await (this.#options.fetch ?? fetch)(url, {
      signal: abort.signal,
      headers: { Accept: 'text/event-stream' },
      credentials: 'same-origin',
      cache: 'no-store',
    });
    if (abort !== this.#abort) return null;
    if (response.status === 401) return this.#finish({ state: 'refused' });
    if (response.status === 204) return this.#finish({ state: 'closed' });
    const type = response.headers.get('Content-Type') ?? '';
    if (!response.ok || !response.body || !type.startsWith('text/event-stream')) {
      const error = await problemOf(response, url.replace(/\?.*/, ''));
      return { reason: error.problem.title, waitMs: (error.retryAfter ?? 0) * 1000 };
    }
    this.#set({ state: 'live' });
    await this.#pump(response.body.getReader(), abort);
    return { reason: 'the connection was closed', waitMs: 0 };
  }

  #finish(link: Link): null {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#abort = null;
    this.#set(link);
    return null;
  }

  async #pump(reader: ReadableStreamDefaultReader<Uint8Array>, abort: AbortController): Promise<void> {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || abort !== this.#abort) return;
      this.#watch();
      this.#options.onByte?.();
      for (const event of this.#parser.push(value)) this.#options.onEvent(event);
    }
  }

  #watch(): void {
    this.#heardAt = Date.now();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#reconnect(0, 'no heartbeat'), SILENCE_MS);
  }

  #reconnect(delayMs: number, reason: string): void {
    clearTimeout(this.#timer);
    const abort = this.#abort;
    this.#abort = null;
    abort?.abort();
    this.#set({ state: 'waiting', reason, retryAt: Date.now() + delayMs });
    this.#timer = setTimeout(() => void this.#connect(), delayMs);
  }
}
