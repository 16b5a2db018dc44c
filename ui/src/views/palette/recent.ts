/** What was searched for lately, kept in this browser. A browser may refuse to keep it. */
const KEY = 'chimney.recent';
const MOST = 6;

export function recentSearches(): string[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((one) => typeof one === 'string').slice(0, MOST) : [];
  } catch {
    return [];
  }
}

export function remember(text: string): void {
  const kept = [text.slice(0, 200), ...recentSearches().filter((one) => one !== text)].slice(0, MOST);
  try {
    localStorage.setItem(KEY, JSON.stringify(kept));
  } catch {
    // Not kept.
  }
}
