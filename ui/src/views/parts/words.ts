/** States of the wire as shape and word. What we do not know yet shows as itself, never as fine. */
import type { MarkKind } from '$ui/Mark.svelte';
import { oneLine } from '$format/safe-text';

export interface Said {
  kind: MarkKind;
  word: string;
}

const table = (words: Record<string, Said>) => {
  const known = new Map(Object.entries(words));
  return (state: string): Said => known.get(state) ?? { kind: 'unknown', word: oneLine(state, 40) };
};

export const originWord = table({
  up: { kind: 'ok', word: 'up' },
  degraded: { kind: 'warn', word: 'degraded' },
  down: { kind: 'bad', word: 'down' },
  unknown: { kind: 'unknown', word: 'not asked yet' },
});

export const streamWord = table({
  connected: { kind: 'ok', word: 'live' },
  connecting: { kind: 'running', word: 'connecting' },
  lost: { kind: 'bad', word: 'lost' },
});

export const ciWord = table({
  success: { kind: 'ok', word: 'passed' },
  failure: { kind: 'bad', word: 'failed' },
  running: { kind: 'running', word: 'running' },
  queued: { kind: 'unknown', word: 'queued' },
  unknown: { kind: 'unknown', word: 'no run' },
});

export const phaseWord = table({
  started: { kind: 'running', word: 'deploying' },
  succeeded: { kind: 'ok', word: 'deployed' },
  failed: { kind: 'bad', word: 'failed' },
  rolled_back: { kind: 'warn', word: 'rolled back' },
});

export const verdictWord = table({
  pending: { kind: 'running', word: 'watched' },
  harmless: { kind: 'ok', word: 'harmless' },
  harmful: { kind: 'bad', word: 'harmful' },
  too_little_traffic: { kind: 'unknown', word: 'too little traffic' },
});

export const branchWord = table({
  green: { kind: 'ok', word: 'green' },
  red: { kind: 'bad', word: 'red' },
  running: { kind: 'running', word: 'running' },
  unknown: { kind: 'unknown', word: 'no run yet' },
});

export const severityWord = table({
  critical: { kind: 'bad', word: 'critical' },
  warning: { kind: 'warn', word: 'warning' },
  info: { kind: 'unknown', word: 'info' },
});

export const levelWord = table({
  debug: { kind: 'unknown', word: 'DEBUG' },
  info: { kind: 'ok', word: 'INFO' },
  warning: { kind: 'warn', word: 'WARN' },
  error: { kind: 'bad', word: 'ERROR' },
  critical: { kind: 'bad', word: 'CRIT' },
});
