import type { Run } from '$wire';
import { oneLine } from '$format/safe-text';
import type { Said } from '$views/parts/words';

/** GitHub's status and conclusion as one word. */
export function runWord(run: Run): Said {
  if (run.status !== 'completed') return { kind: 'running', word: oneLine(run.status, 40).replace('_', ' ') };
  if (run.conclusion === 'success') return { kind: 'ok', word: 'success' };
  if (run.conclusion === 'failure' || run.conclusion === 'timed_out' || run.conclusion === 'startup_failure')
    return { kind: 'bad', word: run.conclusion.replace('_', ' ') };
  return { kind: 'unknown', word: oneLine(run.conclusion ?? 'no conclusion', 40).replace('_', ' ') };
}
