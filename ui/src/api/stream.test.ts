import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FIRST_DELAY_MS, LONGEST_DELAY_MS, delayBeforeTry } from './backoff';
import { SILENCE_MS, Stream, type Link } from './stream';

const encoder = new TextEncoder();

/** A table that answers each connection as told; `asked` are the URLs, in order. */
class FakeTable {
  asked: string[] = [];
  #answers: ((signal: AbortSignal) => Response | Error)[] = [];
  #writers: ReadableStreamDefaultController<Uint8Array>[] = [];

  refuses(status: number, headers: Record<string, string> = {}): this {
    this.#answers.push(() => new Response(status === 204 ? null : 'no', { status, headers }));
    return this;
  }

  isUnreachable(): this {
    this.#answers.push(() => new TypeError('fetch failed'));
    return this;
  }

  streams(...chunks: string[]): this {
    this.#answers.push((signal) => {
      const body = new ReadableStream<Uint8Array>({
        start: (writer) => {
          this.#writers.push(writer);
          signal.addEventListener('abort', () => writer.error(signal.reason));
          for (const chunk of chunks) writer.enqueue(encoder.encode(chunk));
        },
      });
      return new Response(body, { headers: { 'Content-Type': 'text/event-stream; charset=utf-8' } });
    });
    return this;
  }

  send = (text: string) => this.#writers.at(-1)?.enqueue(encoder.encode(text));
  cut = () => this.#writers.at(-1)?.close();

  fetch = (async (url: string, init: RequestInit) => {
    this.asked.push(url);
    const answer = this.#answers.shift()?.(init.signal as AbortSignal) ?? new TypeError('fetch failed');
    if (answer instanceof Error) throw answer;
    return answer;
  }) as unknown as typeof fetch;
}

function follow(table: FakeTable) {
  const events: string[] = [];
  const links: Link[] = [];
  const stream = new Stream({
    url: (id) => `/s?last_event_id=${id}`,
    onEvent: (event) => events.push(event.data),
    onLink: (link) => links.push(link),
    fetch: table.fetch,
    random: () => 0,
  });
  stream.start();
  return { stream, events, links, states: () => links.map((link) => link.state) };
}

const soon = () => vi.advanceTimersByTimeAsync(0);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a stream', () => {
  test('gives the events as they come', async () => {
    const table = new FakeTable().streams('data: 1\n\n');
    const { events, states } = follow(table);
    await soon();
    table.send('data: 2\n\n');
    await soon();
    expect(events).toEqual(['1', '2']);
    expect(states()).toEqual(['connecting', 'live']);
  });

  test('resumes behind the last id when the connection is cut', async () => {
    const table = new FakeTable()
      .streams('id: 5\ndata: a\n\nid: 6\ndata: half')
      .streams('id: 6\ndata: b\n\n');
    const { events } = follow(table);
    await soon();
    table.cut();
    await vi.advanceTimersByTimeAsync(FIRST_DELAY_MS);
    expect(table.asked).toEqual(['/s?last_event_id=', '/s?last_event_id=5']);
    expect(events).toEqual(['a', 'b']);
  });

  test.each([500, 502, 503, 404, 429])('tries again after %i', async (status) => {
    const table = new FakeTable().refuses(status).streams('data: back\n\n');
    const { events } = follow(table);
    await vi.advanceTimersByTimeAsync(FIRST_DELAY_MS);
    expect(events).toEqual(['back']);
  });

  test('tries again after an answer that is no stream', async () => {
    const table = new FakeTable().refuses(200, { 'Content-Type': 'text/html' }).streams('data: back\n\n');
    const { events } = follow(table);
    await vi.advanceTimersByTimeAsync(FIRST_DELAY_MS);
    expect(events).toEqual(['back']);
  });

  test('backs off while nobody answers, and says so', async () => {
    const table = new FakeTable().isUnreachable().isUnreachable().isUnreachable();
    const { links } = follow(table);
    await soon();
    expect(links.at(-1)).toMatchObject({ state: 'waiting', reason: 'fetch failed' });
    await vi.advanceTimersByTimeAsync(250);
    expect(table.asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(499);
    expect(table.asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(table.asked).toHaveLength(3);
  });

  test('honours Retry-After and retry', async () => {
    const table = new FakeTable().refuses(503, { 'Retry-After': '7' }).streams('retry: 3000\n\n').streams();
    follow(table);
    await vi.advanceTimersByTimeAsync(6_999);
    expect(table.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(5_001);
    expect(table.asked).toHaveLength(2);
    table.cut();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(table.asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1_001);
    expect(table.asked).toHaveLength(3);
  });

  test('without a heartbeat it is dead', async () => {
    const table = new FakeTable().streams('data: 1\n\n').streams();
    const { states } = follow(table);
    await soon();
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1_000);
    table.send(': still here\n\n');
    await vi.advanceTimersByTimeAsync(SILENCE_MS - 1);
    expect(table.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(2);
    expect(table.asked).toHaveLength(2);
    expect(states()).toEqual(['connecting', 'live', 'waiting', 'connecting', 'live']);
  });

  test('ends when the session is refused', async () => {
    const table = new FakeTable().refuses(401);
    const { states } = follow(table);
    await vi.advanceTimersByTimeAsync(LONGEST_DELAY_MS * 4);
    expect(states()).toEqual(['connecting', 'refused']);
    expect(table.asked).toHaveLength(1);
  });

  test('ends when the table says that there is nothing (204)', async () => {
    const table = new FakeTable().refuses(204);
    const { states } = follow(table);
    await vi.advanceTimersByTimeAsync(LONGEST_DELAY_MS * 4);
    expect(states()).toEqual(['connecting', 'closed']);
  });

  test('is silent once stopped', async () => {
    const table = new FakeTable().streams('data: 1\n\n');
    const { stream, events, states } = follow(table);
    await soon();
    stream.stop();
    await vi.advanceTimersByTimeAsync(SILENCE_MS * 2);
    expect(events).toEqual(['1']);
    expect(states()).toEqual(['connecting', 'live', 'closed']);
    expect(table.asked).toHaveLength(1);
  });

  test('comes back at once when woken', async () => {
    const table = new FakeTable().refuses(503, { 'Retry-After': '60' }).streams('data: 1\n\n');
    const { stream, events } = follow(table);
    await soon();
    stream.wake();
    await soon();
    expect(events).toEqual(['1']);
  });
});

describe('the delay', () => {
  test.each([
    [0, 0, 250],
    [0, 1, 500],
    [3, 1, 4_000],
    [50, 1, LONGEST_DELAY_MS],
  ])('of try %i with chance %i is %i ms', (attempt, chance, expected) =>
    expect(delayBeforeTry(attempt, { floorMs: 0, random: () => chance })).toBe(expected),
  );

  test('is never below what the server asked for', () =>
    expect(delayBeforeTry(0, { floorMs: 3_000, random: () => 0 })).toBe(3_000));
});
