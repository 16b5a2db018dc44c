/** Deployments as lanes: what ran in each slot, from when to when, and which slot had the visitors. No clock. */
import type { PlacedDeployment } from '$wire';

export interface Span {
  from: number;
  to: number;
}
export interface Stretch extends Span {
  deployment: PlacedDeployment;
}
export type MarkKind = 'deployed' | 'failed' | 'rolled_back' | 'running';
export interface LaneMark {
  at: number;
  kind: MarkKind;
  deployment: PlacedDeployment;
}
export interface Lane {
  slot: string;
  stretches: Stretch[];
  /** When visitors were sent here, as far as deployments tell it. */
  live: Span[];
  marks: LaneMark[];
}

/** Where a slot is not told, everything runs in the one place there is. */
export const ONE_PLACE = '';

const time = (at: string | null): number => (at === null ? NaN : Date.parse(at));
const began = (one: PlacedDeployment): number => time(one.started_at);
const ended = (one: PlacedDeployment): number => time(one.ended_at ?? one.started_at);
const arrived = (one: PlacedDeployment): boolean => one.phase === 'succeeded' || one.rolled_back != null;

/** Oldest first: what took visitors, and when. `null` is a rollback, to whatever was good before. */
function arrivals(deployments: readonly PlacedDeployment[]): { at: number; slot: string }[] {
  const oldest = deployments.filter(arrived).sort((a, b) => ended(a) - ended(b));
  const came = oldest.map((one) => ({ at: arrivedAt(one), slot: one.slot ?? ONE_PLACE }));
  const left = oldest.flatMap((one) => {
    if (!one.rolled_back) return [];
    const at = time(one.rolled_back.at);
    const before = oldest.findLast(
      (other) => other !== one && ended(other) < began(one) && !isBad(other, at),
    );
    return before ? [{ at, slot: before.slot ?? ONE_PLACE }] : [];
  });
  return [...came, ...left].sort((a, b) => a.at - b.at);
}

/** When it had arrived; of one that was rolled back `ended_at` is when it was left. */
const arrivedAt = (one: PlacedDeployment): number => {
  const seconds = one.duration_seconds ?? 0;
  return one.rolled_back ? Math.min(began(one) + seconds * 1000, time(one.rolled_back.at)) : ended(one);
};

const isBad = (one: PlacedDeployment, at: number): boolean =>
  one.rolled_back != null && time(one.rolled_back.at) <= at;

const within = <T extends Span>(spans: readonly T[], window: Span): T[] =>
  spans
    .filter((one) => one.to > window.from && one.from < window.to)
    .map((one) => ({ ...one, from: Math.max(one.from, window.from), to: Math.min(one.to, window.to) }));

function stretchesOf(deployments: readonly PlacedDeployment[], now: number): Stretch[] {
  const here = deployments.filter(arrived).sort((a, b) => arrivedAt(a) - arrivedAt(b));
  return here.map((deployment, i) => {
    const next = here[i + 1];
    return { deployment, from: arrivedAt(deployment), to: next ? arrivedAt(next) : now };
  });
}

function marksOf(deployments: readonly PlacedDeployment[]): LaneMark[] {
  return deployments.flatMap((deployment): LaneMark[] => {
    const { phase, rolled_back } = deployment;
    if (phase === 'started') return [{ at: began(deployment), kind: 'running', deployment }];
    if (phase === 'failed') return [{ at: ended(deployment), kind: 'failed', deployment }];
    const came: LaneMark = { at: arrivedAt(deployment), kind: 'deployed', deployment };
    return rolled_back ? [came, { at: time(rolled_back.at), kind: 'rolled_back', deployment }] : [came];
  });
}

/**
 * The lanes of one origin and environment. `slots` are there also when nothing was deployed to them; `active` is the
 * slot that has the visitors now, null when that is not known: then the last deployment says it.
 */
export function lanesOf(
  deployments: readonly PlacedDeployment[],
  options: { window: Span; slots?: readonly string[]; active?: string | null },
): Lane[] {
  const { window, slots = [], active = null } = options;
  const names = [...new Set([...slots, ...deployments.map((one) => one.slot ?? ONE_PLACE)])];
  const known = names.length > 1 ? names.filter((name) => name !== ONE_PLACE) : names;
  const turns = arrivals(deployments);
  const live = turns.map(({ at, slot }, i) => ({ slot, from: at, to: turns[i + 1]?.at ?? window.to }));
  const last = live.at(-1);
  if (last && active !== null && known.includes(active)) last.slot = active;
  return known.sort().map((slot) => {
    const here = deployments.filter((one) => (one.slot ?? ONE_PLACE) === slot);
    return {
      slot,
      stretches: within(stretchesOf(here, window.to), window),
      live: within(
        live.filter((one) => one.slot === slot),
        window,
      ),
      marks: marksOf(here).filter(({ at }) => at >= window.from && at <= window.to),
    };
  });
}

/** Where in the window a time is, in percent. */
export const place = (at: number, window: Span): number =>
  ((at - window.from) / (window.to - window.from)) * 100;

/** Origin and environment, each a pair of lanes. */
export function groupsOf(
  deployments: readonly PlacedDeployment[],
): { origin: string; environment: string; items: PlacedDeployment[] }[] {
  const groups = new Map<string, PlacedDeployment[]>();
  for (const one of deployments) {
    const key = JSON.stringify([one.origin, one.environment]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].flatMap((items) => {
    const first = items[0];
    return first ? [{ origin: first.origin, environment: first.environment, items }] : [];
  });
}

export const SPANS = [
  { value: '6h', label: '6 h', ms: 6 * 3_600_000 },
  { value: '24h', label: '24 h', ms: 24 * 3_600_000 },
  { value: '7d', label: '7 d', ms: 7 * 86_400_000 },
  { value: '30d', label: '30 d', ms: 30 * 86_400_000 },
] as const;
export const spanOf = (value: string) => SPANS.find((one) => one.value === value) ?? SPANS[1];
