import type { OriginState } from '$wire';
import { percent } from '$format/number';
import { clockMinutes } from '$format/time';

const DAY_MS = 86_400_000;

/** The strip in words, for those who do not see it. */
export function stripLabel(origin: OriginState): string {
  const failing = origin.uptime_bars.filter((share) => share !== null && share < 1).length;
  const unknown = origin.uptime_bars.filter((share) => share === null).length;
  const up =
    origin.uptime_24h_pct === null
      ? 'not probed yet'
      : `${percent(origin.uptime_24h_pct)} of probes succeeded in 24 h`;
  return `${up}; of ${origin.uptime_bars.length} parts ${failing} had failures, ${unknown} were not probed`;
}

/** `10:12–10:28 100 % up` for one part. */
export function barHint(origin: OriginState, index: number, now: number): string {
  const width = DAY_MS / origin.uptime_bars.length;
  const start = now - DAY_MS + index * width;
  const share = origin.uptime_bars[index];
  const said =
    share === null || share === undefined ? 'not probed' : `${percent(share * 100)} of probes succeeded`;
  return `${clockMinutes(start)} to ${clockMinutes(start + width)}: ${said}`;
}
