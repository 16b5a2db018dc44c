import type { PlacedRun } from '$wire';
import { oneLine } from '$format/safe-text';
import { pathOf } from '$state/route';
import type { Said } from '$views/parts/words';

/** What the address says is to be shown; empty filters nothing. */
export interface RunFilter {
  repo: string;
  workflow: string;
  branch: string;
  status: string;
  text: string;
}

export const FILTERS = ['repo', 'workflow', 'branch', 'status', 'text'] as const;
export const STATUSES = ['failed', 'running', 'waiting', 'passed', 'other'] as const;
const BAD = ['failure', 'timed_out', 'startup_failure'];

interface Outcome {
  status: string;
  conclusion: string | null;
}

/** GitHub's fourteen statuses and conclusions in five. */
export function statusOf(run: Outcome): (typeof STATUSES)[number] {
  if (run.status === 'waiting' || run.conclusion === 'action_required') return 'waiting';
  if (run.status !== 'completed') return 'running';
  if (run.conclusion === 'success') return 'passed';
  return BAD.includes(run.conclusion ?? '') ? 'failed' : 'other';
}

const plain = (text: string): string => oneLine(text, 40).replaceAll('_', ' ');

/** As shape and word, of a run, a job, a step or a check. */
export function outcomeWord(run: Outcome): Said {
  const status = statusOf(run);
  if (status === 'waiting') return { kind: 'warn', word: 'waiting' };
  if (status === 'running') {
    const going = run.status === 'in_progress';
    return { kind: going ? 'running' : 'unknown', word: going ? 'running' : plain(run.status) };
  }
  if (status === 'passed') return { kind: 'ok', word: 'passed' };
  return { kind: status === 'failed' ? 'bad' : 'unknown', word: failedWord(run.conclusion) };
}

const failedWord = (conclusion: string | null): string =>
  conclusion === 'failure' ? 'failed' : plain(conclusion ?? 'no conclusion');

const contains = (text: string, part: string): boolean => text.toLowerCase().includes(part.toLowerCase());

export function matches(run: PlacedRun, filter: RunFilter): boolean {
  if (filter.repo !== '' && run.repo !== filter.repo) return false;
  if (filter.workflow !== '' && run.workflow !== filter.workflow) return false;
  if (filter.branch !== '' && run.branch !== filter.branch) return false;
  if (filter.status !== '' && statusOf(run) !== filter.status) return false;
  const text = filter.text.trim();
  const said = [run.title, run.actor, run.branch, run.revision, run.workflow, run.event, run.id].join('\n');
  return text === '' || contains(said, text);
}

export interface Group {
  key: string;
  repo: string;
  workflow: string;
  runs: PlacedRun[];
}

/** Runs by repository and workflow; the group with the newest run first. `runs` are newest first and stay so. */
export function grouped(runs: readonly PlacedRun[]): Group[] {
  const groups = new Map<string, Group>();
  for (const run of runs) {
    const key = `${run.repo}\n${run.workflow}`;
    const group = groups.get(key) ?? { key, repo: run.repo, workflow: run.workflow, runs: [] };
    group.runs.push(run);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** What there is to choose from, most often seen first. */
export function choices(runs: readonly PlacedRun[], of: (run: PlacedRun) => string | null): string[] {
  const counts = new Map<string, number>();
  for (const run of runs) {
    const value = of(run);
    if (value) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => value);
}

export interface Facts {
  /** Share of the judged runs that passed, per cent; null when none was judged. */
  passedPct: number | null;
  medianSeconds: number | null;
}

export function factsOf(runs: readonly PlacedRun[]): Facts {
  const judged = runs.filter((run) => ['passed', 'failed'].includes(statusOf(run)));
  const passed = judged.filter((run) => statusOf(run) === 'passed');
  return {
    passedPct: judged.length > 0 ? (100 * passed.length) / judged.length : null,
    medianSeconds: median(passed.flatMap((run) => run.duration_seconds ?? [])),
  };
}

export function median(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 ? upper : ((sorted[middle - 1] ?? 0) + upper) / 2;
}

export const runHref = (run: { origin: string; id: number; repo: string }): string =>
  `${pathOf('pipelines', run.origin, run.id)}?repo=${encodeURIComponent(run.repo)}`;
