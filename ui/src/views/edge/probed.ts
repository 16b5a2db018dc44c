/** Probes as bars and as runs of failures. Pure; results come newest first. */
import type { ProbeResult } from '$api/edge';
import { milliseconds } from '$format/number';
import type { Said } from '$views/parts/words';
import { oneLine } from '$format/safe-text';

const BARS = 90;

export interface Bar {
  share: number | null;
  result: ProbeResult | null;
}

/** Ninety bars, oldest first; empty ones in front while there are fewer results. */
export function barsOf(results: readonly ProbeResult[]): Bar[] {
  const oldest = results.slice(0, BARS).reverse();
  const empty = Array.from({ length: BARS - oldest.length }, () => ({ share: null, result: null }));
  return oldest.length === 0
    ? []
    : [...empty, ...oldest.map((result) => ({ share: result.ok ? 1 : 0, result }))];
}

export interface Failure {
  stage: string;
  error: string;
  from: string;
  until: string;
  count: number;
}

/** What failed in a row with one cause is one line; newest first. */
export function failuresOf(results: readonly ProbeResult[]): Failure[] {
  const failures: Failure[] = [];
  let open: Failure | undefined;
  for (const result of results) {
    if (result.ok) {
      open = undefined;
      continue;
    }
    const stage = result.stage ?? 'failed';
    const error = result.error ?? (result.status === null ? 'no answer' : `answered ${result.status}`);
    if (open?.stage === stage && open.error === error) {
      open.from = result.at;
      open.count += 1;
    } else {
      open = { stage, error, from: result.at, until: result.at, count: 1 };
      failures.push(open);
    }
  }
  return failures;
}

export const saysResult = (result: ProbeResult): string =>
  result.ok
    ? `answered ${result.status ?? ''} in ${milliseconds(result.latency_ms)}`
    : oneLine(
        `${result.stage ?? 'failed'}: ${result.error ?? `answered ${result.status ?? 'nothing'}`}`,
        300,
      );

/** Null without TLS. A month is enough to renew, two weeks are late: renewal begins at 30 days. */
export function certificateWord(daysLeft: number | null): Said | null {
  if (daysLeft === null) return null;
  const days = Math.floor(daysLeft);
  const word = days < 0 ? 'certificate expired' : `certificate ${days} d left`;
  return { kind: days < 7 ? 'bad' : days < 21 ? 'warn' : 'ok', word };
}
