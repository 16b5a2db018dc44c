/** Arithmetic of a list of rows of one height, of which one may be open and carry a detail of another. */
export interface Layout {
  count: number;
  rowHeight: number;
  /** -1 when none is open. */
  openIndex: number;
  detailHeight: number;
}

export const topOf = (layout: Layout, index: number): number =>
  index * layout.rowHeight + (layout.openIndex >= 0 && index > layout.openIndex ? layout.detailHeight : 0);

export const totalHeight = (layout: Layout): number => topOf(layout, layout.count);

export function indexAt(layout: Layout, y: number): number {
  const { openIndex, rowHeight, detailHeight, count } = layout;
  const detailTop = (openIndex + 1) * rowHeight;
  const within = openIndex >= 0 && y >= detailTop ? Math.max(detailTop - 1, y - detailHeight) : y;
  return Math.min(Math.max(0, count - 1), Math.max(0, Math.floor(within / rowHeight)));
}

/** Half-open range of the rows to draw for what is seen, with some on both sides. */
export function windowOf(
  layout: Layout,
  seen: { top: number; height: number },
  overscan: number,
): [number, number] {
  if (layout.count === 0) return [0, 0];
  const first = Math.max(0, indexAt(layout, seen.top) - overscan);
  return [first, Math.min(layout.count, indexAt(layout, seen.top + seen.height) + overscan + 1)];
}
