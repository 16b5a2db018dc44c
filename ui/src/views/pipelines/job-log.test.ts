import { expect, test } from 'vitest';
import { firstError, parseLog, parts, search } from './job-log';

const AT = '2026-11-01T12:00:00.1234567Z';
const LOG = [
  `\ufeff${AT} Current runner version: '2.330.0'`,
  `${AT} ##[group]Run pytest`,
  `${AT} pytest -q`,
  `${AT} ##[endgroup]`,
  `${AT} 0 failed so far`,
  `${AT} 1 failed in pytest at abc1234`,
  `${AT} ##[error]Process completed with exit code 1.`,
  'Cleaning up',
];

test('times and commands are taken off, groups hold what is in them', () => {
  const lines = parseLog(LOG);
  expect(lines.map((line) => [line.number, line.kind, line.group, line.text])).toEqual([
    [1, 'plain', null, "Current runner version: '2.330.0'"],
    [2, 'group', null, 'Run pytest'],
    [3, 'plain', 2, 'pytest -q'],
    [5, 'plain', null, '0 failed so far'],
    [6, 'plain', null, '1 failed in pytest at abc1234'],
    [7, 'error', null, 'Process completed with exit code 1.'],
    [8, 'plain', null, 'Cleaning up'],
  ]);
  expect(lines[0]?.at).toBe(Date.parse('2026-11-01T12:00:00.123Z'));
  expect(lines[6]?.at).toBeNull();
});

test('workflow commands of scripts are read too', () => {
  const [one, two] = parseLog(['::warning file=a.py,line=1::careful', '##[unknown]x']);
  expect([one?.kind, one?.text]).toEqual(['warning', 'careful']);
  expect([two?.kind, two?.text]).toEqual(['plain', '##[unknown]x']);
});

test('the line that says why stands before the exit code', () => {
  const lines = parseLog(LOG);
  expect(lines[firstError(lines) ?? -1]?.text).toBe('1 failed in pytest at abc1234');
});

test('an error that says more than an exit code is itself the reason', () => {
  const lines = parseLog(['a failed attempt', '##[error]No space left on device']);
  expect(firstError(lines)).toBe(1);
});

test('without a mark the first line that looks bad is shown, and none where nothing does', () => {
  expect(firstError(parseLog(['ok', 'Traceback (most recent call last):']))).toBe(1);
  expect(firstError(parseLog(['ok', 'no errors']))).toBeNull();
});

test('a search finds lines in any case and marks the places', () => {
  expect(search(parseLog(LOG), ' PYTEST ')).toEqual([1, 2, 4]);
  expect(search(parseLog(LOG), '')).toEqual([]);
  expect(parts('a pytest b', 'PyTest')).toEqual([
    { text: 'a ', match: false },
    { text: 'pytest', match: true },
    { text: ' b', match: false },
  ]);
});
