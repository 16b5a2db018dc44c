import { createContext } from 'svelte';
import { watchAttention } from './attention';
import { Clock } from './clock.svelte';
import { listenToKeys, type Overlay } from './keys';
import { Live } from './live.svelte';
import { LogHistogram } from './histogram.svelte';
import { Logs } from './logs.svelte';
import { Router } from './router.svelte';
import { Session } from './session.svelte';
import { ThemeChoice } from './theme.svelte';

/** Everything that the page holds, made once. Read this first. */
export class App {
  readonly clock = new Clock();
  readonly session = new Session();
  readonly theme = new ThemeChoice();
  readonly router = new Router();
  readonly live = new Live({ clock: this.clock, onRefused: this.session.expire });
  readonly logs = new Logs(this.session.expire);
  readonly histogram = new LogHistogram();
  /** Counts how often `/` was pressed: whoever has a search field takes the focus. */
  #searches = $state(0);

  get searches(): number {
    return this.#searches;
  }

  /** What lies over the page. */
  #overlay = $state<Overlay | null>(null);

  get overlay(): Overlay | null {
    return this.#overlay;
  }

  open(overlay: Overlay | null): void {
    if (this.session.status === 'in') this.#overlay = overlay;
  }

  /** Listens to the browser; gives what stops it. `moves`: where `g` and a letter go. */
  start(moves: ReadonlyMap<string, string>): () => void {
    void this.session.load();
    this.clock.start();
    const stops = [
      this.router.listen(),
      listenToKeys({
        move: (letter) => this.#move(moves.get(letter)),
        search: () => this.#search(),
        open: (overlay) => this.open(overlay),
      }),
      watchAttention({ leave: () => this.#leave(), comeBack: () => this.#comeBack() }),
      () => this.clock.stop(),
    ];
    return () => stops.forEach((stop) => stop());
  }

  signOut = async (): Promise<void> => {
    this.#overlay = null;
    this.live.forget();
    this.logs.close();
    await this.session.signOut();
  };

  /** Whether there was somewhere to go. */
  #move(href: string | undefined): boolean {
    if (href !== undefined && this.session.status === 'in') this.router.go(href);
    return href !== undefined;
  }

  #search(): void {
    if (this.session.status !== 'in') return;
    if (this.router.screen !== 'logs') this.router.go('/logs');
    this.#searches += 1;
  }

  #leave(): void {
    this.live.stop();
    this.logs.rest();
    this.clock.stop();
  }

  #comeBack(): void {
    this.clock.start();
    if (this.session.status === 'unreachable') void this.session.load();
    if (this.session.status !== 'in') return;
    this.live.wake();
    this.logs.wake();
  }
}

export const [useApp, provideApp] = createContext<App>();
