import { expect, test } from 'vitest';
import type { Overview } from '$wire';
import { withChanges, type OverviewChanged } from './overview-delta';

const held = {
  at: '2026-11-23T10:00:00Z',
  version: '1',
  findings: { items: [], good_since: null },
  origins: [
    { name: 'a', state: 'up', latency_ms: 1 },
    { name: 'b', state: 'up', latency_ms: 2 },
  ],
  changes: [{ revision: 'r' }],
  log_rate_per_second: 1,
  errors_last_5_min: 0,
} as unknown as Overview;

test('only what changed is new', () => {
  const delta = {
    at: '2026-11-23T10:00:01Z',
    version: '1',
    log_rate_per_second: 5,
    errors_last_5_min: 2,
    findings: null,
    changes: null,
    origins: [{ name: 'b', state: 'down' }, { name: 'unknown' }],
  } as OverviewChanged;
  const now = withChanges(held, delta);
  expect(now.origins[0]).toBe(held.origins[0]);
  expect(now.origins[1]).toEqual({ name: 'b', state: 'down', latency_ms: 2 });
  expect([now.findings, now.changes]).toEqual([held.findings, held.changes]);
  expect([now.at, now.log_rate_per_second, now.errors_last_5_min]).toEqual([delta.at, 5, 2]);
});
