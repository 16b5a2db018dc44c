import { isOurs, screenOf, type Screen } from './route';

/** The address bar. Everything that can be filtered is in it. */
export class Router {
  #path = $state(location.pathname);
  #query = $state(location.search);
  #hash = $state(location.hash);
  #screen = $derived(screenOf(this.#path));

  get screen(): Screen {
    return this.#screen;
  }
  get path(): string {
    return this.#path;
  }
  get query(): string {
    return this.#query;
  }
  get hash(): string {
    return this.#hash;
  }

  go(href: string): void {
    const before = location.pathname;
    if (href !== location.pathname + location.search + location.hash) history.pushState(null, '', href);
    if (location.pathname !== before) scrollTo(0, 0);
    this.#read();
  }

  /** Without a new entry in the history: for what changes with every letter typed. */
  replace(href: string): void {
    history.replaceState(null, '', href);
    this.#read();
  }

  /** Starts to listen; gives what stops it. */
  listen(): () => void {
    const back = () => this.#read();
    const click = (event: MouseEvent) => this.#click(event);
    addEventListener('popstate', back);
    addEventListener('click', click);
    return () => {
      removeEventListener('popstate', back);
      removeEventListener('click', click);
    };
  }

  #read(): void {
    this.#path = location.pathname;
    this.#query = location.search;
    this.#hash = location.hash;
  }

  #click(event: MouseEvent): void {
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (!link || !isOurs(link, event, location.origin)) return;
    // To a place on this very page: the browser knows how, and tells by `popstate`.
    if (link.hash !== '' && link.pathname + link.search === location.pathname + location.search) return;
    event.preventDefault();
    this.go(link.pathname + link.search + link.hash);
  }
}
