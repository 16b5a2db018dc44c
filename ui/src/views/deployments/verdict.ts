import type { Verdict } from '$wire';
import { duration } from '$format/time';

type Figures = NonNullable<Verdict['after']>;
interface Words {
  count: (value: number) => string;
  milliseconds: (value: number | null) => string;
  percent: (value: number | null) => string;
  none: string;
}

export interface FigureRow {
  name: string;
  before: string;
  after: string;
  worse: boolean;
}

export const titleOf = (verdict: Verdict | null): string =>
  verdict?.after_seconds ? `Verdict after ${duration(verdict.after_seconds)}` : 'Verdict';

/** What was before and what came after, side by side. Worse is what is higher and belongs to a harmful verdict. */
export function rowsOf(verdict: Verdict, words: Words): FigureRow[] {
  const { before, after } = verdict;
  if (!after) return [];
  const harmful = verdict.state === 'harmful';
  const row = (
    name: string,
    of: (figures: Figures) => number | null | undefined,
    say: (value: number) => string,
  ) => {
    const [was, is] = [before ? of(before) : null, of(after)];
    return {
      name,
      before: was === null || was === undefined ? words.none : say(was),
      after: is === null || is === undefined ? words.none : say(is),
      worse: harmful && (is ?? 0) > (was ?? 0),
    };
  };
  return [
    { ...row('requests', (one) => one.requests, words.count), worse: false },
    row('errors', (one) => one.error_rate_pct, words.percent),
    row('p95', (one) => one.p95_ms, words.milliseconds),
    row('new error groups', (one) => one.new_error_groups, words.count),
    row('restarts', (one) => one.restarts, words.count),
  ];
}
