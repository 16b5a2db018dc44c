/** The parts of a path, as they were before they were escaped: `/deployments/hel1/d%2F1` is three. */
export const partsOf = (path: string): string[] => path.split('/').filter(Boolean).map(unescaped);

const unescaped = (part: string): string => {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
};

/** A path from its parts. */
export const pathOf = (...parts: (string | number)[]): string =>
  `/${parts.map((part) => encodeURIComponent(String(part))).join('/')}`;

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
