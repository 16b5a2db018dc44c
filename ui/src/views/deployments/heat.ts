import type { Histogram } from '$wire';

export interface Heat {
  at: string;
  count: number;
  /** 0.25 to 1: one error is to be seen beside a thousand. */
  strength: number;
}

export function heat(histogram: Histogram | null): Heat[] {
  const counted = (histogram?.buckets ?? []).map(({ at, counts }) => ({
    at,
    count: (counts['error'] ?? 0) + (counts['critical'] ?? 0),
  }));
  const most = Math.max(1, ...counted.map((one) => one.count));
  return counted.map((one) => ({
    ...one,
    strength: one.count === 0 ? 0 : 0.25 + 0.75 * (Math.log1p(one.count) / Math.log1p(most)),
  }));
}
