/** What the wall shows next, and how alarmed it is. Pure. */
import type { Wall, WallChange, WallFinding, WallOrigin } from '$wire';
import type { Freshness } from '$state/freshness';

/** So many fit without a scroll bar, in letters that are read from four metres. */
export const FINDINGS = 5;
export const ORIGINS = 4;
export const CHANGES = 6;
export const TRAFFIC = 4;

export type Panel =
  | { kind: 'findings'; findings: WallFinding[]; more: number }
  | { kind: 'origins'; origins: WallOrigin[] }
  | { kind: 'changes'; changes: WallChange[] }
  | { kind: 'traffic'; origins: WallOrigin[] };

const parts = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

/** In turn. While something is critical only what is wrong is shown. */
export function panelsOf(wall: Wall): Panel[] {
  const findings = parts(wall.findings, FINDINGS).map((some, i): Panel => {
    const shown = (i + 1) * FINDINGS;
    return { kind: 'findings', findings: some, more: Math.max(0, wall.findings.length - shown) };
  });
  if (isCritical(wall)) return findings;
  const measured = wall.origins.filter((one) => one.traffic?.requests.some((value) => value !== null));
  const nothing: Panel = { kind: 'findings', findings: [], more: 0 };
  return [
    ...(findings.length > 0 ? findings : [nothing]),
    ...parts(wall.origins, ORIGINS).map((origins): Panel => ({ kind: 'origins', origins })),
    ...parts(wall.changes.slice(0, CHANGES), CHANGES).map((changes): Panel => ({ kind: 'changes', changes })),
    ...parts(measured, TRAFFIC).map((origins): Panel => ({ kind: 'traffic', origins })),
  ];
}

export const isCritical = (wall: Wall): boolean => wall.findings.some((one) => one.severity === 'critical');

export type Alarm = 'none' | 'warning' | 'critical' | 'lost' | 'refused';

/** A connection that is gone this short is most likely a restart of the table. */
const PATIENCE_MS = 4_000;

/** What the edge says. Without a connection nothing is known, whatever was shown last. */
export function alarmOf(
  wall: Wall | null,
  link: { fresh: Freshness; lostMs: number; refused: boolean },
): Alarm {
  if (link.refused) return 'refused';
  if (link.fresh.kind === 'stale' || (link.fresh.kind === 'reconnecting' && link.lostMs > PATIENCE_MS))
    return 'lost';
  if (!wall) return 'none';
  if (isCritical(wall)) return 'critical';
  return wall.findings.some((one) => one.severity === 'warning') ? 'warning' : 'none';
}

/** The sum of the last full step over these origins, and the part that failed in per cent; null where not measured. */
export function trafficNow(origins: readonly WallOrigin[]): {
  rate: number | null;
  errorPct: number | null;
} {
  const last = (values: readonly (number | null)[] | undefined) =>
    values?.findLast((value) => value !== null) ?? null;
  const known = (pick: (one: WallOrigin) => readonly (number | null)[] | undefined) =>
    origins.map((one) => last(pick(one))).filter((value) => value !== null);
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  const rates = known((one) => one.traffic?.requests);
  if (rates.length === 0) return { rate: null, errorPct: null };
  const rate = sum(rates);
  return { rate, errorPct: rate > 0 ? (100 * sum(known((one) => one.traffic?.errors))) / rate : 0 };
}

/** The worst default branch: what is red comes first. */
export function branchNow(origins: readonly WallOrigin[]): WallOrigin | null {
  const order = ['red', 'running', 'green', 'unknown'];
  const known = origins.filter((one) => one.branch_state !== null);
  known.sort((a, b) => order.indexOf(a.branch_state ?? '') - order.indexOf(b.branch_state ?? ''));
  return known[0] ?? null;
}

/** The newest deployment of all; one that is on its way goes before. */
export function lastDeployment(origins: readonly WallOrigin[]): WallOrigin['last'] {
  const known = origins.map((one) => one.last).filter((one) => one !== null);
  const running = known.filter((one) => one.phase === 'started' && !one.stuck);
  const [newest] = (running.length > 0 ? running : known).sort(
    (a, b) => Date.parse(b.started_at) - Date.parse(a.started_at),
  );
  return newest ?? null;
}
