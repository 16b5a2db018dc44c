import type { SeriesAnswer } from '$wire';

export interface Spent {
  asked: number;
  free: number;
  failed: number;
  /** Share of what was asked that was free; null when nothing was asked. */
  freePct: number | null;
}

/** Rates by result, added up over their steps. An answer that was a failure is counted by its class of status too. */
export function spent(answer: SeriesAnswer): Spent {
  const total = new Map<string, number>();
  for (const one of answer.series) {
    const result = one.labels['result'] ?? '';
    const sum = one.points.reduce((all, point) => all + (point.value ?? 0) * answer.step_seconds, 0);
    total.set(result, (total.get(result) ?? 0) + sum);
  }
  const sumOf = (wanted: (result: string) => boolean) =>
    Math.round([...total].reduce((sum, [result, value]) => sum + (wanted(result) ? value : 0), 0));
  const free = sumOf(isFree);
  const failed = sumOf((result) => ['4xx', '5xx', 'unreachable'].includes(result));
  const asked = free + failed + sumOf((result) => ['2xx', '3xx'].includes(result));
  return { asked, free, failed, freePct: asked > 0 ? (100 * free) / asked : null };
}

const isFree = (result: string): boolean => result === 'not_modified';
