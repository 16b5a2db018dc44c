import type { PlacedRun } from '$wire';
import { statusOf } from './runs';

export interface Flaky {
  key: string;
  repo: string;
  workflow: string;
  /** The run that passed in the end, newest first. */
  runs: PlacedRun[];
  /** Revisions that were judged. */
  of: number;
  pct: number;
}

/**
 * Workflows that failed and then passed on the same revision: a later attempt of one run passed, or a second run did.
 * A later attempt may also have been started after the first one was cancelled; GitHub's list does not say.
 */
export function flaky(runs: readonly PlacedRun[]): Flaky[] {
  const workflows = new Map<string, Map<string, PlacedRun[]>>();
  for (const run of runs) {
    if (!['passed', 'failed'].includes(statusOf(run))) continue;
    const key = `${run.repo}\n${run.workflow}`;
    const revisions = workflows.get(key) ?? new Map<string, PlacedRun[]>();
    // A workflow that runs on a schedule does not run for its revision.
    const revision = `${run.revision} ${run.event}`;
    revisions.set(revision, [...(revisions.get(revision) ?? []), run]);
    workflows.set(key, revisions);
  }
  return [...workflows].flatMap(([key, revisions]) => flakyOf(key, [...revisions.values()]));
}

function flakyOf(key: string, revisions: PlacedRun[][]): Flaky[] {
  const runs = revisions.flatMap((ofOne) => passedInTheEnd(ofOne) ?? []);
  const first = runs[0];
  if (!first) return [];
  const pct = (100 * runs.length) / revisions.length;
  return [{ key, repo: first.repo, workflow: first.workflow, runs, of: revisions.length, pct }];
}

function passedInTheEnd(runs: PlacedRun[]): PlacedRun | undefined {
  const again = runs.find((run) => run.attempt > 1 && statusOf(run) === 'passed');
  if (again) return again;
  const inOrder = [...runs].sort((a, b) => Date.parse(a.started_at) - Date.parse(b.started_at));
  const failed = inOrder.findIndex((run) => statusOf(run) === 'failed');
  return failed < 0 ? undefined : inOrder.slice(failed).find((run) => statusOf(run) === 'passed');
}
