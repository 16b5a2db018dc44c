export const THEMES = ['system', 'dark', 'light'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'chimney.theme';

/** Browsers may refuse storage; then the choice lasts as long as the tab. */
function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return THEMES.find((theme) => theme === value) ?? 'system';
  } catch {
    return 'system';
  }
}

export class ThemeChoice {
  #current = $state<Theme>(stored());

  constructor() {
    this.#show();
  }

  get current(): Theme {
    return this.#current;
  }

  set current(theme: Theme) {
    this.#current = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Not kept.
    }
    this.#show();
  }

  #show(): void {
    const root = document.documentElement;
    if (this.#current === 'system') root.removeAttribute('data-theme');
    else root.dataset.theme = this.#current;
  }
}
