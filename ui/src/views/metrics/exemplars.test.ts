import { expect, test } from 'vitest';
import { operationsOf } from './exemplars';

const SERVICES = [
  {
    name: 'chimney-origin',
    operations: ['GET', 'GET /api/a', 'HEAD /api/a', 'GET /api/ab'],
    found_in: ['table'],
  },
  { name: 'shop', operations: ['/api/a'], found_in: ['table'] },
];

test("a route's spans are called by method and route, or by the route", () => {
  expect(operationsOf(SERVICES, { service: '', route: '/api/a' }).map((one) => one.operation)).toEqual([
    'GET /api/a',
    'HEAD /api/a',
    '/api/a',
  ]);
  expect(operationsOf(SERVICES, { service: 'shop', route: '/api/a' })).toEqual([
    { service: 'shop', operation: '/api/a' },
  ]);
  expect(operationsOf(SERVICES, { service: '', route: '' })).toEqual([]);
});
