import { expect, test } from 'vitest';
import { levelChoices, sourceChoices } from './facets';

const facets = {
  levels: [
    { value: 'critical', count: 1 },
    { value: 'error', count: 2 },
    { value: 'strange', count: 4 },
    { value: 'debug', count: 8 },
  ],
  sources: [{ value: 'hel1', count: 14 }],
};

test('a level counts what is at least as bad; one that is not known counts as info', () =>
  expect(levelChoices(facets, 'critical').map(({ value, count }) => [value, count])).toEqual([
    ['', 15],
    ['info', 7],
    ['warning', 3],
    ['error', 3],
    ['critical', 1],
  ]));

test('sources that are silent are there too, and all is open before the first answer', () => {
  expect(sourceChoices(facets, ['table', 'hel1'], 'gone')).toEqual([
    { value: 'hel1', count: 14 },
    { value: 'table', count: 0 },
    { value: 'gone', count: 0 },
  ]);
  expect(sourceChoices(null, ['table'], '')).toEqual([{ value: 'table', count: null }]);
  expect(levelChoices(null, '')[0]).toEqual({ value: '', label: 'All', count: null });
});
