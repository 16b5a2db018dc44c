import type { OriginState } from '$wire';
import { milliseconds, percent, perSecond } from '$format/number';
import { duration } from '$format/time';

export interface Measured {
  label: string;
  kind: string;
  values: readonly (number | null)[];
  /** The newest that is known. */
  now: string;
  title: string;
  bad: boolean;
  least: number;
}

const newest = (values: readonly (number | null)[]): number | null =>
  values.findLast((value) => value !== null) ?? null;
/** One in twenty answers is an error: nobody calls that well. */
const BAD_PCT = 5;

/** Rate, errors and waits of an origin's visitors; empty before its metrics were read twice. */
export function measuredOf(origin: OriginState): Measured[] {
  const traffic = origin.traffic;
  if (!traffic) return [];
  const over = `over ${duration(traffic.over_seconds)}`;
  const [rate, errors, wait] = [traffic.rates, traffic.error_rates_pct, traffic.p95s_ms].map(newest);
  return [
    {
      label: 'Requests',
      kind: '',
      values: traffic.rates,
      now: rate === null || rate === undefined ? '–' : perSecond(rate),
      title: `requests of visitors by second, ${over}`,
      bad: false,
      least: 0.1,
    },
    {
      label: 'Errors',
      kind: traffic.error_rates_pct.some((one) => (one ?? 0) > 0) ? 'bad' : 'p50',
      values: traffic.error_rates_pct,
      now: percent(errors),
      title: `share of visitors' requests answered with 5xx, ${over}`,
      bad: (errors ?? 0) >= BAD_PCT,
      least: 1,
    },
    {
      label: 'p95',
      kind: 'p99',
      values: traffic.p95s_ms,
      now: milliseconds(wait),
      title: `95 of 100 visitors waited no longer, ${over}`,
      bad: false,
      least: 1,
    },
  ];
}
