/** The time that a screen looks at, as its address says it: `last=1h`, or `from` and `to`. */
export const LASTS = [
  { value: '15m', label: '15 m', seconds: 900 },
  { value: '1h', label: '1 h', seconds: 3600 },
  { value: '6h', label: '6 h', seconds: 6 * 3600 },
  { value: '24h', label: '24 h', seconds: 24 * 3600 },
  { value: '7d', label: '7 d', seconds: 7 * 24 * 3600 },
] as const;
const USUAL = LASTS[1];

export interface Range {
  /** Milliseconds. */
  from: number;
  to: number;
}

/** Empty texts where the address says nothing, or nothing that makes sense. */
export interface RangeParams {
  last: string;
  from: string;
  to: string;
}

export function rangeParams(param: (name: string) => string): RangeParams {
  const [from, to] = [param('from'), param('to')];
  if (Date.parse(from) < Date.parse(to)) return { last: '', from, to };
  const last = LASTS.find(({ value }) => value === param('last')) ?? USUAL;
  return { last: last.value, from: '', to: '' };
}

/** A range without an end moves with `now`, in milliseconds. */
export function boundsOf(params: RangeParams, now: number): Range {
  if (params.last === '') return { from: Date.parse(params.from), to: Date.parse(params.to) };
  const last = LASTS.find(({ value }) => value === params.last) ?? USUAL;
  return { from: now - last.seconds * 1000, to: now };
}

export const asQuery = ({ from, to }: Range): { from: string; to: string } => ({
  from: new Date(from).toISOString(),
  to: new Date(to).toISOString(),
});

/** What is asked again by itself: a range that has ended does not change. */
export const moves = (params: RangeParams): boolean => params.last !== '';

/** Where in the range something was, 0 to 1; null outside. */
export function shareOf(at: string | number, { from, to }: Range): number | null {
  const share = ((typeof at === 'number' ? at : Date.parse(at)) - from) / (to - from);
  return share >= 0 && share <= 1 ? share : null;
}
