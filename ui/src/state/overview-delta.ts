import type { Change, Findings, OriginState, Overview } from '$wire';

/** What changed of an Overview: of each origin its name and the fields that did. */
export interface OverviewChanged extends Pick<
  Overview,
  'at' | 'version' | 'log_rate_per_second' | 'errors_last_5_min'
> {
  findings: Findings | null;
  changes: Change[] | null;
  origins: (Pick<OriginState, 'name'> & Partial<OriginState>)[];
}

/** The overview as it is now; origins of which nothing changed are the same objects. */
export function withChanges(held: Overview, delta: OverviewChanged): Overview {
  const changed = new Map(delta.origins.map((one) => [one.name, one]));
  return {
    ...held,
    at: delta.at,
    version: delta.version,
    log_rate_per_second: delta.log_rate_per_second,
    errors_last_5_min: delta.errors_last_5_min,
    findings: delta.findings ?? held.findings,
    changes: delta.changes ?? held.changes,
    origins: held.origins.map((one) => (changed.has(one.name) ? { ...one, ...changed.get(one.name) } : one)),
  };
}
