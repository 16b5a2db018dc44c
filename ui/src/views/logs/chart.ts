import type { Histogram } from '$wire';

/** Records of a bucket as calm, warning and bad; a level that we do not know is calm. */
export function bySeverity(counts: Record<string, number>): [number, number, number] {
  const bad = (counts.error ?? 0) + (counts.critical ?? 0);
  const warning = counts.warning ?? 0;
  const all = Object.values(counts).reduce((sum, n) => sum + n, 0);
  return [all - warning - bad, warning, bad];
}

/** What the chart spans, in milliseconds; null while there is nothing to span. */
export function chartRange(data: Histogram | null): { from: number; to: number } | null {
  const [first, last] = [data?.buckets[0], data?.buckets.at(-1)];
  if (!data || !first || !last) return null;
  return { from: Date.parse(first.at), to: Date.parse(last.at) + data.width_seconds * 1000 };
}

/** The time of some bars as a filter. */
export function barRange(data: Histogram, first: number, last: number): { from: string; to: string } {
  const at = (index: number) => Date.parse(data.buckets[index]?.at ?? '');
  return {
    from: new Date(at(first)).toISOString(),
    to: new Date(at(last) + data.width_seconds * 1000).toISOString(),
  };
}
