/** Axes of charts. Pure. */

/** At most `most` round steps from 0 that reach `highest`. */
export function linearTicks(highest: number, most = 3): number[] {
  if (!(highest > 1e-9)) return [0];
  const rough = highest / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough) ?? rough;
  return Array.from({ length: Math.floor(highest / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** Powers of ten within the two, both ends included where they are some. */
export function logTicks(lowest: number, highest: number): number[] {
  const first = Math.ceil(Math.log10(lowest) - 1e-9);
  const last = Math.floor(Math.log10(highest) + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => 10 ** (first + i));
}

/** Where a value is between the two on a logarithmic axis, 0 to 1; what lies outside is at the end. */
export function logShare(value: number, lowest: number, highest: number): number {
  const share = Math.log(Math.max(value, lowest) / lowest) / Math.log(highest / lowest);
  return Math.min(1, Math.max(0, share));
}

/** A line through the points that are known; it breaks where one is not. A point alone is a short dash. */
export function linePath(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  const parts: string[] = [];
  values.forEach((value, i) => {
    if (value === null) return;
    const alone = (values[i - 1] ?? null) === null;
    parts.push(`${alone ? 'M' : 'L'}${x(i).toFixed(2)} ${y(value).toFixed(2)}`);
    if (alone && (values[i + 1] ?? null) === null) parts.push('h1');
  });
  return parts.join('');
}
