import { describe, expect, test } from 'vitest';
import { filterFromQuery, filterToHref, isFiltered, isLive, NO_FILTER, sameFilter } from './log-filter';
import { href, isOurs, partsOf, pathOf } from './route';

test.each([
  ['/', []],
  ['//', []],
  ['/logs/', ['logs']],
  ['/deployments/hel1/d%2F1', ['deployments', 'hel1', 'd/1']],
  ['/traces/%zz', ['traces', '%zz']],
])('%s has the parts %j', (path, parts) => expect(partsOf(path)).toEqual(parts));

test('a path is made of its parts, whatever is in them', () =>
  expect(pathOf('deployments', 'hel1', 'd/1?#', 7)).toBe('/deployments/hel1/d%2F1%3F%23/7'));

describe('a click', () => {
  const ORIGIN = 'https://table.example';
  const link = { origin: ORIGIN, target: '', download: '' };
  const click = (more: Partial<MouseEvent> = {}) =>
    ({
      button: 0,
      metaKey: false,
      ctrlKey: false,
      shiftKey: false,
      altKey: false,
      defaultPrevented: false,
      ...more,
    }) as MouseEvent;

  test('on a link of ours is ours', () => expect(isOurs(link, click(), ORIGIN)).toBe(true));
  test.each([
    ['with a key that opens a tab', link, click({ ctrlKey: true })],
    ['with the middle button', link, click({ button: 1 })],
    ['that was answered already', link, click({ defaultPrevented: true })],
    ['on a link elsewhere', { ...link, origin: 'https://github.com' }, click()],
    ['on a link to a new tab', { ...link, target: '_blank' }, click()],
  ])('%s is not', (_, where, how) => expect(isOurs(where, how, ORIGIN)).toBe(false));
});

test('an address carries only what filters', () =>
  expect(href('/logs', { level: 'error', grep: 'a&b=c', source: '' })).toBe(
    '/logs?level=error&grep=a%26b%3Dc',
  ));

describe('the filter of the logs', () => {
  const filter = {
    ...NO_FILTER,
    level: 'warning',
    grep: 'näh & "x"',
    request_id: '7f3a',
    from: '2026-11-23T10:00:00Z',
  };

  test('is the same after a way through the address', () =>
    expect(filterFromQuery(filterToHref(filter).replace('/logs', ''))).toEqual(filter));

  test.each([
    ['?level=loud', ''],
    ['?level=ERROR', ''],
    ['?level=critical', 'critical'],
  ])('%s has level %j', (query, level) => expect(filterFromQuery(query).level).toBe(level));

  test('leaves out times that are none', () =>
    expect(filterFromQuery('?from=yesterday&to=2026-11-23T10:00:00Z')).toEqual({
      ...NO_FILTER,
      to: '2026-11-23T10:00:00Z',
    }));

  test('is empty without a query', () => {
    expect(filterFromQuery('')).toEqual(NO_FILTER);
    expect(filterToHref(NO_FILTER)).toBe('/logs');
    expect([isFiltered(NO_FILTER), isFiltered(filter)]).toEqual([false, true]);
    expect(sameFilter(filter, { ...filter })).toBe(true);
  });

  test('with an end does not follow', () => {
    expect(isLive(filter)).toBe(true);
    expect(isLive({ ...filter, to: '2026-11-23T11:00:00Z' })).toBe(false);
  });
});
