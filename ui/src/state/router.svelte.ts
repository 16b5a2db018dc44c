import { isOurs, partsOf } from './route';

/** The address bar. Everything that can be filtered is in it. */
export class Router {
  #path = $state(location.pathname);
  #query = $state(location.search);
  #hash = $state(location.hash);
  #parts = $derived(partsOf(this.#path));

  /** The first part of the path, which names the screen; empty for the first one. */
  get screen(): string {
    return this.#parts[0] ?? '';
  }
  /** What the path says behind the screen: which deployment, which trace. */
  get place(): string[] {
    return this.#parts.slice(1);
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

  /** One parameter of the query, '' when it is not there. */
  param(name: string): string {
    return new URLSearchParams(this.#query).get(name) ?? '';
  }

  /** This place with some parameters changed; '' takes one away. `typing`: no new entry in the history. */
  set(params: Record<string, string>, typing = false): void {
    const query = new URLSearchParams(this.#query);
    for (const [name, value] of Object.entries(params)) {
      if (value === '') query.delete(name);
      else query.set(name, value);
    }
    const text = query.toString();
    const href = text === '' ? this.#path : `${this.#path}?${text}`;
    if (typing) this.replace(href);
    else this.go(href);
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
