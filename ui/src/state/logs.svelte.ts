import type { Gap, Hello, LogRow } from '$wire';
import { asApiError, type ApiError } from '$api/http';
import { logStreamUrl, readLogs } from '$api/logs';
import type { ServerEvent } from '$api/sse';
import { SharedStream, type Link } from '$api/shared-stream';
import { Held } from './held';
import { gapMark, LogBuffer } from './log-buffer';
import { isLive, NO_FILTER, type LogFilter } from './log-filter';
import { LinkState } from './link.svelte';
import { readGap } from './log-gap';
import { olderThan, type Older } from './older';
import { Rate } from './rate';

/** Rows that come together are put on the page together; one that comes alone need not wait. */
const [BATCH_MS, ALONE_MS] = [100, 10];
const PAGE = 300;
/** Waiting for the next batch; more than this at once is more than anybody reads. */
const MOST_PENDING = 10_000;
const RETRY_MS = 5_000;

/**
 * Log rows under one filter: the newest page, then the live end, older pages on demand. While `following` is false,
 * new rows are held back, so that nothing moves under the reader's eye.
 */
export class Logs {
  readonly link = new LinkState();
  #rows = $state.raw<readonly LogRow[]>([]);
  #phase = $state<'loading' | 'ready' | 'failed'>('loading');
  #error = $state.raw<ApiError | null>(null);
  #older = $state<Older>('idle');
  #following = $state(true);
  #heldCount = $state(0);
  #rate = $state(0);

  #buffer = new LogBuffer();
  #filter: LogFilter = NO_FILTER;
  #stream: SharedStream | null = null;
  #abort = new AbortController();
  #pending: LogRow[] = [];
  #held = new Held();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #rateTimer: ReturnType<typeof setTimeout> | undefined;
  #arrivals = new Rate();
  #flushedAt = 0;

  constructor(readonly onRefused: () => void) {}

  get rows(): readonly LogRow[] {
    return this.#rows;
  }
  get phase() {
    return this.#phase;
  }
  get error(): ApiError | null {
    return this.#error;
  }
  get older(): Older {
    return this.#older;
  }
  get following(): boolean {
    return this.#following;
  }
  get heldCount(): number {
    return this.#heldCount;
  }
  get rate(): number {
    return this.#rate;
  }

  open(filter: LogFilter): void {
    this.close();
    this.#filter = filter;
    this.#abort = new AbortController();
    this.#phase = 'loading';
    this.#following = true;
    this.#rate = 0;
    if (isLive(filter)) this.#follow();
    void this.#load();
  }

  close(): void {
    this.#abort.abort();
    this.#stream?.stop();
    this.#stream = null;
    clearTimeout(this.#timer);
    clearTimeout(this.#rateTimer);
    this.#timer = undefined;
    this.#forget();
  }

  /** The tab was left: keep the rows, let go of the connection. */
  rest = (): void => this.#stream?.stop();

  wake = (): void => {
    this.#stream?.start();
    this.#stream?.wake();
    if (this.#phase === 'failed') this.retry();
  };

  retry = (): void => this.open(this.#filter);

  pause = (): void => {
    this.#following = false;
  };

  resume = (): void => {
    if (this.#held.endLost) return this.retry();
    this.#following = true;
    this.#buffer.append(this.#held.rows);
    this.#release();
  };

  loadOlder = async (): Promise<void> => {
    const before = this.#buffer.oldestId;
    if (before === null || !['idle', 'failed'].includes(this.#older) || this.#phase !== 'ready') return;
    const { signal } = this.#abort;
    this.#older = 'loading';
    try {
      const page = await readLogs(this.#filter, { limit: PAGE, before: Math.floor(before) }, signal);
      if (this.#buffer.prepend(page.items)) this.#held.loseEnd();
      this.#older = olderThan(page);
      this.#show();
    } catch (thrown) {
      if (signal.aborted) return;
      this.#older = 'failed';
      this.#fail(thrown);
    }
  };

  async #load({ signal } = this.#abort): Promise<void> {
    try {
      const page = await readLogs(this.#filter, { limit: PAGE }, signal);
      this.#buffer.append(page.items);
      this.#older = olderThan(page);
      this.#phase = 'ready';
      this.#error = null;
      this.#flush();
    } catch (thrown) {
      if (signal.aborted) return;
      this.#phase = 'failed';
      this.#fail(thrown);
    }
  }

  #fail(thrown: unknown): void {
    this.#error = asApiError(thrown, '/api/logs');
    if (this.#error.status === 401) this.onRefused();
    else if (!this.#stream && this.#phase === 'failed') this.#timer = setTimeout(this.retry, RETRY_MS);
  }

  #follow(): void {
    this.#stream = new SharedStream({
      key: logStreamUrl(this.#filter, ''),
      url: (lastId) => logStreamUrl(this.#filter, lastId || String(this.#newest() ?? '')),
      onEvent: (event) => this.#event(event),
      onLink: (link) => this.#link(link),
      onByte: this.link.heard,
    });
    this.#stream.start();
  }

  #newest(): number | null {
    const newest = this.#held.rows.at(-1)?.id ?? this.#buffer.newestId;
    return newest === null ? null : Math.floor(newest);
  }

  #link(link: Link): void {
    this.link.changed(link);
    if (link.state === 'refused') this.onRefused();
    if (link.state === 'live' && this.#phase === 'failed') void this.#load();
  }

  #event(event: ServerEvent): void {
    if (event.type === 'log') this.#arrived(JSON.parse(event.data) as LogRow);
    else if (event.type === 'gap') void this.#gap(JSON.parse(event.data) as Gap);
    else if (event.type === 'hello') this.#hello(JSON.parse(event.data) as Hello);
  }

  /** A newest id below ours is another table's. Without rows nothing says from where: what came before is asked for. */
  #hello({ newest_id }: Hello): void {
    const ours = this.#newest();
    if (newest_id === null) return;
    if (ours === null) void this.#load();
    else if (newest_id < ours) this.retry();
  }

  #arrived(row: LogRow): void {
    this.#pending.push(row);
    if (this.#pending.length > MOST_PENDING) this.#pending.splice(0, MOST_PENDING / 2);
    const due = this.#flushedAt + BATCH_MS - Date.now();
    this.#timer ??= setTimeout(() => this.#flush(), Math.max(ALONE_MS, due));
  }

  async #gap(gap: Gap): Promise<void> {
    const mark = gapMark(gap, new Date().toISOString());
    this.#arrived(mark);
    const { signal } = this.#abort;
    const { rows, rest } = await readGap(this.#filter, gap, signal);
    if (signal.aborted || rows.length === 0) return;
    this.#flush();
    this.#buffer.fill(mark, rows, rest);
    this.#show();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#phase !== 'ready') return;
    this.#flushedAt = Date.now();
    const batch = this.#pending;
    this.#pending = [];
    this.#measure(batch.length);
    if (!this.#following) return this.#hold(batch);
    this.#buffer.append(batch);
    this.#show();
  }

  #hold(batch: LogRow[]): void {
    const newest = this.#buffer.newestId ?? 0;
    this.#held.add(batch.filter((row) => row.id > newest));
    this.#heldCount = this.#held.count;
  }

  #release(): void {
    this.#held.clear();
    this.#heldCount = 0;
    this.#show();
  }

  #forget(): void {
    this.#buffer.clear();
    this.#pending = [];
    this.#arrivals.clear();
    this.#older = 'idle';
    this.#error = null;
    this.#release();
  }

  #measure(n: number): void {
    clearTimeout(this.#rateTimer);
    this.#arrivals.add(n, Date.now());
    this.#rate = this.#arrivals.perSecond(Date.now());
    if (this.#rate > 0) this.#rateTimer = setTimeout(() => this.#measure(0), 1000);
  }

  #show(): void {
    this.#rows = this.#buffer.rows;
  }
}
