import { expect, test } from 'vitest';
import type { Span } from '$wire';
import { groupsOf, requestOf } from './detail';

const SPAN: Span = {
  trace_id: 't',
  span_id: 's',
  parent_span_id: null,
  service: 'shop',
  name: 'GET /',
  kind: 'server',
  started_at: '2026-11-24T10:00:00Z',
  offset_ms: 0,
  duration_ms: 1,
  status: 'error',
  status_message: 'boom',
  attributes: { 'chimney.request_id': 'r1', 'http.response.status_code': 500 },
  resource: { 'service.version': '1' },
  events: [
    { name: 'exception', at: '2026-11-24T10:00:00Z', offset_ms: 0, attributes: { 'exception.type': 'E' } },
  ],
  links: [],
  scope: '',
};

test('a span says what happened first, then its attributes', () => {
  expect(groupsOf(SPAN).map((group) => group.title)).toEqual([
    'Event exception',
    'Attributes',
    'Span',
    'Resource',
  ]);
  expect(requestOf(SPAN)).toBe('r1');
});

test('attributes are filtered by name and value', () => {
  expect(groupsOf(SPAN, 'STATUS_code')).toEqual([
    { title: 'Attributes', fields: [{ name: 'http.response.status_code', value: '500' }] },
  ]);
  expect(groupsOf(SPAN, 'boom').map((group) => group.title)).toEqual(['Span']);
});
