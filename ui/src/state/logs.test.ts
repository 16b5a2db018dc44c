import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { LogRow } from '$wire';
import { NO_FILTER } from './log-filter';
import { Logs } from './logs.svelte';

const row = (id: number): LogRow => ({
  id,
  ts: '',
  level: 'info',
  source: 's',
  logger: 'l',
  kind: 'log',
  message: `m${id}`,
});

/** A table that keeps `rows` and has one reader of its stream. */
class FakeTable {
  rows: LogRow[] = [];
  status = 200;
  asked: string[] = [];
  #writer: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(last: number) {
    this.rows = Array.from({ length: last }, (_, i) => row(i + 1));
  }

  fetch = async (url: string): Promise<Response> => {
    this.asked.push(url);
    if (this.status !== 200) return new Response('', { status: this.status });
    return url.startsWith('/api/logs/stream')
      ? this.#stream()
      : this.#page(new URLSearchParams(url.split('?')[1]));
  };

  tells(type: string, data: unknown, id = ''): void {
    const text = `${id && `id: ${id}\n`}event: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    this.#writer?.enqueue(new TextEncoder().encode(text));
  }

  writes(id: number): void {
    this.rows.push(row(id));
    this.tells('log', row(id), String(id));
  }

  #stream(): Response {
    const body = new ReadableStream<Uint8Array>({ start: (writer) => void (this.#writer = writer) });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  }

  #page(query: URLSearchParams): Response {
    const before = Number(query.get('before') || Infinity);
    const older = this.rows.filter((r) => r.id < before).reverse();
    const items = older.slice(0, Number(query.get('limit')));
    return Response.json({ items, next: items.length < older.length ? String(items.at(-1)?.id) : null });
  }
}

const BATCH = 250;
const ids = (logs: Logs) => logs.rows.map((r) => r.id);
const soon = (ms = BATCH) => vi.advanceTimersByTimeAsync(ms);

async function open(table: FakeTable): Promise<{ logs: Logs; refused: () => number }> {
  let refusals = 0;
  vi.stubGlobal('fetch', table.fetch);
  const logs = new Logs(() => (refusals += 1));
  logs.open(NO_FILTER);
  await soon();
  return { logs, refused: () => refusals };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test('the newest page comes first, then what is written', async () => {
  const table = new FakeTable(3);
  const { logs } = await open(table);
  table.writes(4);
  await soon();
  expect(ids(logs)).toEqual([1, 2, 3, 4]);
  expect([logs.phase, logs.older, logs.link.connected]).toEqual(['ready', 'end', true]);
});

test('nothing moves while the reader stands still, and nothing is lost', async () => {
  const table = new FakeTable(2);
  const { logs } = await open(table);
  logs.pause();
  [3, 4].forEach((id) => table.writes(id));
  await soon();
  expect([ids(logs), logs.heldCount]).toEqual([[1, 2], 2]);
  logs.resume();
  expect([ids(logs), logs.heldCount]).toEqual([[1, 2, 3, 4], 0]);
});

test('too much to hold is read anew on the way back to the live end', async () => {
  const table = new FakeTable(1);
  const { logs } = await open(table);
  logs.pause();
  for (let id = 2; id <= 6_000; id++) table.writes(id);
  await soon();
  expect(logs.heldCount).toBe(5_999);
  logs.resume();
  await soon();
  expect([logs.following, logs.rows.length, ids(logs).at(-1)]).toEqual([true, 300, 6_000]);
});

test('older pages are read on demand, to the first record', async () => {
  const table = new FakeTable(700);
  const { logs } = await open(table);
  const counts = [logs.rows.length];
  while (logs.older === 'idle') {
    await logs.loadOlder();
    counts.push(logs.rows.length);
  }
  expect(counts).toEqual([300, 600, 700]);
  expect([logs.older, ids(logs)[0]]).toEqual(['end', 1]);
});

test('a gap in the stream is filled from the journal', async () => {
  const table = new FakeTable(2);
  const { logs } = await open(table);
  table.rows.push(row(3), row(4), row(5));
  table.tells('gap', { missed: 2, after_id: 2, before_id: 5, reason: 'evicted' });
  table.tells('log', row(5), '5');
  await soon();
  expect(ids(logs)).toEqual([1, 2, 3, 4, 5]);
});

test('a gap that the journal cannot fill stays as a mark', async () => {
  const table = new FakeTable(2);
  const { logs } = await open(table);
  table.tells('gap', { missed: 2, after_id: 2, before_id: 5, reason: 'evicted' });
  table.tells('log', row(5), '5');
  await soon();
  expect(logs.rows.map((r) => r.kind)).toEqual(['log', 'log', 'gap', 'log']);
});

test('a refused session is told', async () => {
  const table = new FakeTable(2);
  table.status = 401;
  const { refused } = await open(table);
  expect(refused()).toBeGreaterThan(0);
});

test('after a failure the list comes back by itself', async () => {
  const table = new FakeTable(2);
  table.status = 503;
  const { logs } = await open(table);
  expect([logs.phase, logs.error?.status]).toEqual(['failed', 503]);
  table.status = 200;
  await soon(5_000);
  expect([logs.phase, ids(logs)]).toEqual(['ready', [1, 2]]);
});

test('another journal, with smaller ids, is read from its beginning', async () => {
  const table = new FakeTable(9);
  const { logs } = await open(table);
  table.rows = [row(1)];
  table.tells('hello', { version: '1', boot: 'b', oldest_id: 1, newest_id: 1 });
  await soon();
  expect(ids(logs)).toEqual([1]);
});

test('what came between an empty first page and the start of the stream is asked for', async () => {
  const table = new FakeTable(0);
  const { logs } = await open(table);
  table.rows.push(row(1));
  table.tells('hello', { version: '1', boot: 'b', oldest_id: 1, newest_id: 1 });
  await soon();
  expect(ids(logs)).toEqual([1]);
});
