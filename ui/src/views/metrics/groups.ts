/** Groups of errors beside the deployments that they may have come with. Pure. */
import type { ErrorGroup, PlacedDeployment } from '$wire';

/** The last deployment of each origin that took effect, also when it was taken back since. */
export function lastOf(deployments: readonly PlacedDeployment[]): PlacedDeployment[] {
  const last = new Map<string, PlacedDeployment>();
  for (const one of deployments) {
    if (one.phase === 'started' || one.phase === 'failed') continue;
    const known = last.get(one.origin);
    if (!known || Date.parse(one.started_at) > Date.parse(known.started_at)) last.set(one.origin, one);
  }
  return [...last.values()];
}

/** First seen in the last deployment of an origin, or since the newest of them began where none is known for it. */
export function isNew(group: ErrorGroup, last: readonly PlacedDeployment[]): boolean {
  if (last.some((one) => one.id === group.first_deployment)) return true;
  if (group.first_deployment !== null || last.length === 0) return false;
  const own = last.filter((one) => one.origin === group.source);
  const since = Math.max(...(own.length > 0 ? own : last).map((one) => Date.parse(one.started_at)));
  return Date.parse(group.first_seen) >= since;
}

/** New ones first, then those that were seen last. */
export function ordered(
  groups: readonly ErrorGroup[],
  last: readonly PlacedDeployment[],
): { group: ErrorGroup; fresh: boolean }[] {
  return groups
    .map((group) => ({ group, fresh: isNew(group, last) }))
    .sort(
      (a, b) =>
        Number(b.fresh) - Number(a.fresh) || Date.parse(b.group.last_seen) - Date.parse(a.group.last_seen),
    );
}

export interface InDeployment {
  id: string;
  count: number;
  /** Null when it is older than what was asked for; `unknown` is before any. */
  deployment: PlacedDeployment | null;
}

/** Newest first; those without a time last. */
export function byDeployment(group: ErrorGroup, deployments: readonly PlacedDeployment[]): InDeployment[] {
  const known = new Map(deployments.map((one) => [one.id, one]));
  const at = (one: InDeployment) => Date.parse(one.deployment?.started_at ?? '') || 0;
  return Object.entries(group.by_deployment)
    .map(([id, count]) => ({ id, count, deployment: known.get(id) ?? null }))
    .sort((a, b) => at(b) - at(a));
}
