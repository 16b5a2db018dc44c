import { expect, test } from 'vitest';
import { clockMinutes } from '$format/time';
import { freshness, STALE_AFTER_MS, type Heard } from './freshness';

const NOW = 1_790_000_000_000;
const never: Heard = { connected: false, heardAt: null, lostAt: null, lagSeconds: null };

test.each<[string, Heard, string, string]>([
  ['before the first answer', never, 'connecting', 'connecting'],
  ['connected', { ...never, connected: true }, 'live', 'live'],
  ['with a lag', { ...never, connected: true, lagSeconds: 0.21 }, 'live', 'live 0.2 s'],
  ['with a long lag', { ...never, connected: true, lagSeconds: 72 }, 'live', 'live 1 m 12 s'],
  [
    'quieter than a heartbeat',
    { ...never, connected: true, heardAt: NOW - 20_000, lagSeconds: 0.1 },
    'reconnecting',
    'quiet for 20 s',
  ],
  [
    'just lost',
    { ...never, heardAt: NOW - 13_000, lostAt: NOW - 12_000 },
    'reconnecting',
    'reconnecting for 12 s',
  ],
  ['never reached', { ...never, lostAt: NOW - 4_000 }, 'reconnecting', 'reconnecting for 4 s'],
])('%s', (_, heard, kind, text) => expect(freshness(heard, NOW)).toEqual({ kind, text }));

test('what was not heard from for long is stale since then', () => {
  const heardAt = NOW - STALE_AFTER_MS - 1;
  const stale = { kind: 'stale', text: `stale since ${clockMinutes(heardAt)}` };
  expect(freshness({ ...never, heardAt, lostAt: NOW - 100 }, NOW)).toEqual(stale);
  expect(freshness({ ...never, heardAt, connected: true }, NOW)).toEqual(stale);
});
