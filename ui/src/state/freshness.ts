import { clockMinutes, duration } from '$format/time';

/** What is known of a stream, times in milliseconds. `lostAt` is null while it is connected. */
export interface Heard {
  connected: boolean;
  heardAt: number | null;
  lostAt: number | null;
  lagSeconds: number | null;
}

export type Freshness = { kind: 'connecting' | 'live' | 'reconnecting' | 'stale'; text: string };

/** A page that heard nothing for this long may no longer be believed: two heartbeats and some slack. */
export const STALE_AFTER_MS = 35_000;

/** A heartbeat comes every 15 s at the latest: a connection that is quieter than that is open, but not live. */
export const QUIET_AFTER_MS = 17_000;

export function freshness(heard: Heard, now: number): Freshness {
  const quiet = now - (heard.heardAt ?? now);
  if (heard.connected && quiet <= QUIET_AFTER_MS) return { kind: 'live', text: liveText(heard.lagSeconds) };
  if (heard.connected && quiet <= STALE_AFTER_MS)
    return { kind: 'reconnecting', text: `quiet for ${duration(quiet / 1000)}` };
  if (heard.heardAt === null && heard.lostAt === null) return { kind: 'connecting', text: 'connecting' };
  const since = heard.heardAt ?? heard.lostAt ?? now;
  if (now - since > STALE_AFTER_MS) return { kind: 'stale', text: `stale since ${clockMinutes(since)}` };
  const lost = (now - (heard.lostAt ?? now)) / 1000;
  return { kind: 'reconnecting', text: `reconnecting for ${duration(lost)}` };
}

const liveText = (lag: number | null): string =>
  lag === null ? 'live' : `live ${lag < 9.95 ? `${lag.toFixed(1)} s` : duration(lag)}`;
