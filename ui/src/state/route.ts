export type Screen = 'overview' | 'logs' | 'missing';

const SCREENS: Record<string, Screen> = { '/': 'overview', '/logs': 'logs' };

export const screenOf = (path: string): Screen => SCREENS[path.replace(/(.)\/+$/, '$1')] ?? 'missing';

/** A click that this page should answer itself: a plain one, on a link of ours that opens here. */
export function isOurs(
  link: { origin: string; target: string; download: string },
  click: MouseEvent,
  origin: string,
): boolean {
  const plain = click.button === 0 && !(click.metaKey || click.ctrlKey || click.shiftKey || click.altKey);
  return plain && !click.defaultPrevented && link.origin === origin && !link.target && !link.download;
}

/** `/logs?level=error` from a path and the pairs that say something. */
export function href(path: string, pairs: Record<string, string>): string {
  const query = new URLSearchParams(Object.entries(pairs).filter(([, value]) => value !== '')).toString();
  return query === '' ? path : `${path}?${query}`;
}
