import { expect, test } from 'vitest';
import { fieldsOf, saysOf, verbOf } from './finding';

const act = { act: 'switch' as const, origin: 'hel1', slot: 'green', run_id: null, reason: 'x' };

test('an act is its fields without its name', () => {
  expect(fieldsOf(act)).toEqual({ origin: 'hel1', slot: 'green' });
  expect(saysOf(act)).toBe('origin hel1, slot green');
  expect(verbOf(act)).toBe('Switch slots');
});
