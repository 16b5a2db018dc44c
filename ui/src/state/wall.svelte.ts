import type { Hello, Wall } from '$wire';
import type { ServerEvent } from '$api/sse';
import type { Link } from '$api/stream';
import { wallStream } from '$api/wall';
import { Clock } from './clock.svelte';
import { LinkState } from './link.svelte';

/** A link that was refused is tried again so often: somebody may have put the table's data back. */
const AGAIN_MS = 60_000;

/** The screen in the room: one stream, nobody to press a button. */
export class WallState {
  readonly clock = new Clock();
  readonly link = new LinkState();
  #wall = $state.raw<Wall | null>(null);
  #refused = $state(false);
  #loaded: string | null = null;
  #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  get wall(): Wall | null {
    return this.#wall;
  }
  /** The link is not known, has expired or was revoked. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Gives what stops it. */
  start(): () => void {
    const stream = wallStream(this.#token, {
      onEvent: (event) => this.#event(event),
      onLink: (link) => this.#link(link),
      onByte: this.link.heard,
    });
    const again = setInterval(() => {
      if (!this.#refused) return;
      stream.stop();
      stream.start();
    }, AGAIN_MS);
    const wake = () => stream.wake();
    addEventListener('online', wake);
    document.addEventListener('visibilitychange', wake);
    this.clock.start();
    stream.start();
    return () => {
      clearInterval(again);
      removeEventListener('online', wake);
      document.removeEventListener('visibilitychange', wake);
      this.clock.stop();
      stream.stop();
    };
  }

  #link(link: Link): void {
    this.link.changed(link);
    if (link.state === 'refused') this.#refused = true;
    else if (link.state === 'live') this.#refused = false;
  }

  #event(event: ServerEvent): void {
    if (event.type === 'hello') this.#hello(JSON.parse(event.data) as Hello);
    else if (event.type === 'wall') this.#take(JSON.parse(event.data) as Wall);
  }

  /** Nobody is there to reload it when another version runs. */
  #hello(hello: Hello): void {
    this.#loaded ??= hello.version;
    if (hello.version !== this.#loaded) location.reload();
  }

  #take(wall: Wall): void {
    this.#wall = wall;
    this.clock.correct(Date.parse(wall.at) - Date.now());
  }
}
