import type { ServerEvent } from './sse';
import { SILENCE_MS, Stream, type Link, type StreamOptions } from './stream';

export type { Link };

/**
 * One connection for all tabs that read the same stream, because a browser gives a host six over HTTP/1.1. The tab that
 * holds the lock reads and passes on what comes; when it goes, the next takes over behind the last event that it saw.
 * Without locks (plain http from elsewhere) every tab reads for itself, and also when the reading one falls silent.
 */
export interface Tabs {
  locks: Pick<LockManager, 'request'> | undefined;
  channel: (name: string) => Pick<BroadcastChannel, 'postMessage' | 'close' | 'onmessage'>;
}

export interface SharedOptions extends StreamOptions {
  /** Streams with the same key carry the same events. */
  key: string;
  tabs?: Tabs;
}

type Note = { event: ServerEvent } | { link: Link } | { ask: true };

const browser: Tabs = {
  locks: globalThis.navigator?.locks,
  channel: (name) => new BroadcastChannel(name),
};

export class SharedStream {
  #options: SharedOptions;
  #tabs: Tabs;
  #stream: Stream | null = null;
  #channel: ReturnType<Tabs['channel']> | null = null;
  #giveUp: AbortController | null = null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #lastEventId: string;

  constructor(options: SharedOptions) {
    this.#options = options;
    this.#tabs = options.tabs ?? browser;
    this.#lastEventId = options.lastEventId ?? '';
  }

  start(): void {
    if (this.#giveUp) return;
    this.#giveUp = new AbortController();
    if (!this.#tabs.locks) return this.#read();
    this.#channel = this.#tabs.channel(this.#options.key);
    this.#channel.onmessage = (message) => this.#note(message.data as Note);
    this.#options.onLink?.({ state: 'connecting' });
    this.#channel.postMessage({ ask: true } satisfies Note);
    this.#hear();
    void this.#queue(this.#giveUp.signal);
  }

  stop(): void {
    if (!this.#giveUp) return;
    clearTimeout(this.#silence);
    this.#giveUp.abort();
    this.#giveUp = null;
    this.#stream?.stop();
    this.#stream = null;
    this.#channel?.close();
    this.#channel = null;
    this.#options.onLink?.({ state: 'closed' });
  }

  wake(): void {
    this.#stream?.wake();
  }

  /** Reads as soon as no other tab does, and until this one stops. */
  async #queue(signal: AbortSignal): Promise<void> {
    const held = async () => {
      if (signal.aborted) return;
      this.#read();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    };
    await this.#tabs.locks?.request(this.#options.key, { signal }, held).catch(() => undefined);
  }

  #read(): void {
    clearTimeout(this.#silence);
    if (this.#stream) return;
    this.#stream = new Stream({
      ...this.#options,
      lastEventId: this.#lastEventId,
      onEvent: (event) => {
        this.#channel?.postMessage({ event } satisfies Note);
        this.#take(event);
      },
      onLink: (link) => {
        // A tab that stops leaves its place to the next: for the others nothing is closed.
        if (link.state !== 'closed') this.#channel?.postMessage({ link } satisfies Note);
        if (link.state !== 'closed' || this.#giveUp) this.#options.onLink?.(link);
      },
    });
    this.#stream.start();
  }

  #take(event: ServerEvent): void {
    if (event.id !== '') this.#lastEventId = event.id;
    this.#options.onEvent(event);
  }

  #note(note: Note): void {
    if ('ask' in note) {
      if (this.#stream) this.#channel?.postMessage({ link: this.#stream.link } satisfies Note);
      return;
    }
    if (this.#stream) return;
    this.#hear();
    if ('link' in note) return this.#options.onLink?.(note.link);
    this.#options.onByte?.();
    this.#take(note.event);
  }

  /** The reading tab passes on every heartbeat; one that does not is frozen or gone astray. */
  #hear(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#read(), SILENCE_MS);
  }
}
