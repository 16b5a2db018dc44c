import type { CheckRun } from '$api/pipelines';
import { plural } from '$format/number';
import type { Said } from '$views/parts/words';
import { statusOf } from './runs';

/** The checks of a revision in one word; null when it has none, or none is known. */
export function checkSummary(checks: readonly CheckRun[] | null): { said: Said } | null {
  if (!checks || checks.length === 0) return null;
  const of = (status: string) => checks.filter((check) => statusOf(check) === status).length;
  const [failed, running, waiting] = [of('failed'), of('running'), of('waiting')];
  if (failed > 0)
    return { said: { kind: 'bad', word: `${failed} of ${plural(checks.length, 'check')} failed` } };
  if (waiting > 0) return { said: { kind: 'warn', word: `${plural(waiting, 'check')} waiting` } };
  if (running > 0) {
    const done = checks.length - running;
    return { said: { kind: 'running', word: `${done} of ${plural(checks.length, 'check')} done` } };
  }
  return { said: { kind: 'ok', word: `${plural(checks.length, 'check')} passed` } };
}
