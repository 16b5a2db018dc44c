import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { SharedStream, type Tabs } from './shared-stream';
import { SILENCE_MS, type Link } from './stream';

/** The tabs of one browser: one lock, one channel, and a table that counts its connections. */
class FakeBrowser implements Tabs {
  asked: string[] = [];
  #ports = new Set<{ onmessage: ((message: MessageEvent) => void) | null }>();
  #queue: Promise<unknown> = Promise.resolve();
  #open = new Set<ReadableStreamDefaultController<Uint8Array>>();

  get connections(): number {
    return this.#open.size;
  }

  locks = {
    request: (_name: string, options: LockOptions, held: () => Promise<void>) =>
      (this.#queue = this.#queue.then(() => (options.signal?.aborted ? undefined : held()))),
  } as unknown as LockManager;

  channel = () => {
    const port = {
      onmessage: null as ((message: MessageEvent) => void) | null,
      postMessage: (data: unknown) =>
        [...this.#ports].filter((p) => p !== port).forEach((p) => p.onmessage?.({ data } as MessageEvent)),
      close: () => void this.#ports.delete(port),
    };
    this.#ports.add(port);
    return port as unknown as BroadcastChannel;
  };

  fetch = (async (url: string, init: RequestInit) => {
    this.asked.push(url);
    const body = new ReadableStream<Uint8Array>({
      start: (writer) => {
        this.#open.add(writer);
        init.signal?.addEventListener('abort', () => {
          this.#open.delete(writer);
          writer.error(init.signal?.reason);
        });
      },
    });
    return new Response(body, { headers: { 'Content-Type': 'text/event-stream' } });
  }) as unknown as typeof fetch;

  send = (text: string) => this.#open.forEach((writer) => writer.enqueue(new TextEncoder().encode(text)));
}

function open(browser: FakeBrowser, tabs: Tabs = browser) {
  const events: string[] = [];
  const states: Link['state'][] = [];
  const stream = new SharedStream({
    key: 'k',
    tabs,
    url: (id) => `/s?last_event_id=${id}`,
    onEvent: (event) => events.push(event.data),
    onLink: (link) => states.push(link.state),
    fetch: browser.fetch,
  });
  stream.start();
  return { stream, events, state: () => states.at(-1) };
}

const soon = () => vi.advanceTimersByTimeAsync(1);

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('eight tabs take one connection and all see everything', async () => {
  const browser = new FakeBrowser();
  const tabs = Array.from({ length: 8 }, () => open(browser));
  await soon();
  browser.send('id: 1\ndata: a\n\n');
  await soon();
  expect(browser.connections).toBe(1);
  expect(tabs.map((tab) => tab.events)).toEqual(tabs.map(() => ['a']));
  expect(tabs.map((tab) => tab.state())).toEqual(tabs.map(() => 'live'));
});

test('a tab that comes later learns that the stream is live', async () => {
  const browser = new FakeBrowser();
  open(browser);
  await soon();
  const late = open(browser);
  await soon();
  expect(late.state()).toBe('live');
});

test('when the reading tab goes, the next resumes behind the last event', async () => {
  const browser = new FakeBrowser();
  const [first, second] = [open(browser), open(browser)];
  await soon();
  browser.send('id: 7\ndata: a\n\n');
  await soon();
  first.stream.stop();
  await soon();
  browser.send('id: 8\ndata: b\n\n');
  await soon();
  expect(browser.asked).toEqual(['/s?last_event_id=', '/s?last_event_id=7']);
  expect([first.events, second.events]).toEqual([['a'], ['a', 'b']]);
  expect([first.state(), second.state(), browser.connections]).toEqual(['closed', 'live', 1]);
});

test('when the reading tab falls silent, the others read for themselves', async () => {
  const browser = new FakeBrowser();
  const deaf: Tabs = {
    locks: browser.locks,
    channel: () => ({ postMessage: () => undefined, close: () => undefined, onmessage: null }),
  };
  open(browser, deaf);
  const other = open(browser, deaf);
  await soon();
  expect(browser.asked).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(SILENCE_MS);
  expect(other.state()).toBe('live');
});

test('without locks every tab reads for itself', async () => {
  const browser = new FakeBrowser();
  const alone: Tabs = { locks: undefined, channel: browser.channel };
  const tabs = [open(browser, alone), open(browser, alone)];
  await soon();
  expect(browser.connections).toBe(2);
  tabs.forEach((tab) => tab.stream.stop());
  await soon();
  expect([browser.connections, tabs[0]?.state()]).toEqual([0, 'closed']);
});

test('a stopped stream may be started again, and goes on where it was', async () => {
  const browser = new FakeBrowser();
  const { stream, state } = open(browser);
  await soon();
  browser.send('id: 3\ndata: a\n\n');
  await soon();
  stream.stop();
  await soon();
  stream.start();
  await soon();
  expect(browser.asked.at(-1)).toBe('/s?last_event_id=3');
  expect(state()).toBe('live');
});
