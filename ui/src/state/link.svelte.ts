import type { Link } from '$api/stream';
import { freshness, type Freshness } from './freshness';

/** How fresh one stream is, kept for the eye. */
export class LinkState {
  #connected = $state(false);
  #lostAt = $state<number | null>(null);
  #lagSeconds = $state<number | null>(null);
  #reason = $state('');
  // Moves with every byte and so is not reactive: it is read when the link is lost, and once a second by the clock.
  #heardAt: number | null = null;

  get connected(): boolean {
    return this.#connected;
  }

  /** Why it is not connected; empty while it is. */
  get reason(): string {
    return this.#connected ? '' : this.#reason;
  }

  get heardAt(): number | null {
    return this.#heardAt;
  }

  at(now: number): Freshness {
    const { connected, lostAt, lagSeconds } = {
      connected: this.#connected,
      lostAt: this.#lostAt,
      lagSeconds: this.#lagSeconds,
    };
    return freshness({ connected, lostAt, lagSeconds, heardAt: this.#heardAt }, now);
  }

  heard = (): void => {
    this.#heardAt = Date.now();
  };

  lag(seconds: number | null): void {
    this.#lagSeconds = seconds;
  }

  changed = (link: Link): void => {
    this.#connected = link.state === 'live';
    if (this.#connected) this.#lostAt = null;
    else if (link.state === 'waiting') this.#lostAt ??= Date.now();
    if (link.state === 'waiting') this.#reason = link.reason;
  };
}
