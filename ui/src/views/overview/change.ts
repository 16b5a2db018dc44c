import type { Change } from '$wire';
import { secondsSince } from '$format/time';

/** How long CI took, or has taken so far; null when that is not known. */
export function ciSeconds(change: Change, now: number): number | null {
  if (change.ci_duration_seconds !== null) return change.ci_duration_seconds;
  return change.ci === 'running' ? secondsSince(change.at, now) : null;
}
