/** What has to hold before one goes back, as far as it is known now. Pure. */
import type { Deployment, DeployStatus, Edge } from '$wire';
import type { Said } from '$views/parts/words';
import { oneLine, shortRevision } from '$format/safe-text';

export interface Check extends Said {
  what: string;
}

/** One may be short: 7 digits and more name a revision. */
export const same = (a: string, b: string): boolean => a.startsWith(b) || b.startsWith(a);

/** The slot that runs a revision and has no visitors; '' when none does. */
export function idleSlotWith(revision: string, status: DeployStatus): string {
  const found = Object.entries(status.slots).find(
    ([name, slot]) => name !== status.active_slot && slot.revision !== null && same(slot.revision, revision),
  );
  return found?.[0] ?? '';
}

export function checksOf(goal: Deployment, status: DeployStatus | null, edge: Edge | null): Check[] {
  if (goal.way_back?.how === 'workflow') {
    return [{ what: 'a workflow can deploy it again', kind: 'ok', word: 'yes' }];
  }
  const slot = goal.way_back?.slot || (status ? idleSlotWith(goal.revision, status) : '');
  const state = slot ? status?.slots[slot] : undefined;
  const runs: Check = slot
    ? { what: `slot ${oneLine(slot, 20)} runs ${shortRevision(goal.revision)}`, kind: 'ok', word: 'yes' }
    : { what: `a slot runs ${shortRevision(goal.revision)}`, kind: 'bad', word: 'no' };
  return [runs, healthOf(slot, state?.healthy ?? null, state?.problem ?? null), edgeOf(edge)];
}

function healthOf(slot: string, healthy: boolean | null, problem: string | null): Check {
  const what = slot ? `slot ${oneLine(slot, 20)} is ready` : 'it is ready';
  if (healthy === true) return { what, kind: 'ok', word: 'yes' };
  if (healthy === false) return { what, kind: 'bad', word: oneLine(problem ?? 'no', 200) };
  return { what, kind: 'unknown', word: slot ? 'nobody has asked it (CHIMNEY_SLOTS)' : 'not known' };
}

function edgeOf(edge: Edge | null): Check {
  const what = 'Caddy is reachable';
  if (edge?.reachable) return { what, kind: 'ok', word: 'yes' };
  if (edge?.trouble === 'not_configured')
    return { what, kind: 'unknown', word: 'not known: CHIMNEY_CADDY_ADMIN is not set' };
  return edge
    ? { what, kind: 'bad', word: oneLine(edge.detail ?? 'no', 200) }
    : { what, kind: 'unknown', word: 'not known' };
}

/** In words: what will happen. */
export function willHappen(goal: Deployment, left: string | null): string {
  const to = shortRevision(goal.revision);
  const mark = left ? ` ${shortRevision(left)} is marked as rolled back, with your reason.` : '';
  return goal.way_back?.how === 'workflow'
    ? `The deployment workflow is started with ${to}. Visitors move when it is done.${mark}`
    : `Caddy sends visitors to slot ${oneLine(goal.way_back?.slot ?? '', 20)}, which runs ${to}.${mark}`;
}
