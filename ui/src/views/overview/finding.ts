import type { Finding } from '$wire';
import type { ActFields } from '$api/acts';
import { oneLine } from '$format/safe-text';

type FindingAct = NonNullable<Finding['act']>;

const VERBS: Record<string, string> = {
  invalidate: 'Drop stored responses',
  warm: 'Warm the cache',
  log_level: 'Change the log level',
  rerun: 'Run it again',
  rerun_failed: 'Re-run the failed jobs',
  cancel: 'Cancel the run',
  approve: 'Approve',
  dispatch: 'Start the workflow',
  switch: 'Switch slots',
  rollback: 'Roll back',
};

export const verbOf = (act: FindingAct): string => VERBS[act.act] ?? oneLine(act.act, 40);

/** What the act takes, without its name and what is not said. */
export function fieldsOf(act: FindingAct): ActFields {
  const said = Object.entries(act).filter(
    ([name, value]) => !['act', 'reason'].includes(name) && value !== null && value !== undefined,
  );
  return Object.fromEntries(said) as ActFields;
}

/** The same in words, for whoever is about to do it. */
export const saysOf = (act: FindingAct): string =>
  Object.entries(fieldsOf(act))
    .map(([name, value]) => `${name} ${oneLine(String(value), 80)}`)
    .join(', ');
