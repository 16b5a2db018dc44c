import type { Findings, Hello, Overview } from '$wire';
import { asApiError, type ApiError } from '$api/http';
import { overviewStreamUrl, readOverview, readVersion } from '$api/overview';
import type { ServerEvent } from '$api/sse';
import { SharedStream, type Link } from '$api/shared-stream';
import type { Clock } from './clock.svelte';
import { LinkState } from './link.svelte';
import { withChanges, type OverviewChanged } from './overview-delta';

/** Events are put on the page at most this often. */
const BATCH_MS = 250;

/** The overview and the findings, as they change. `overview` keeps the last one that came, however old. */
export class Live {
  readonly link = new LinkState();
  #overview = $state.raw<Overview | null>(null);
  #findings = $state.raw<Findings | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #loadedVersion: string | null = null;
  #servedVersion = $state<string | null>(null);
  #outdated = $state(false);
  #wasLost = false;

  #clock: Clock;
  #onRefused: () => void;
  #stream: SharedStream;
  #latest: { overview?: Overview; findings?: Findings } = {};
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: { clock: Clock; onRefused: () => void }) {
    this.#clock = options.clock;
    this.#onRefused = options.onRefused;
    this.#stream = new SharedStream({
      key: overviewStreamUrl(),
      url: overviewStreamUrl,
      onEvent: (event) => this.#event(event),
      onLink: (link) => this.#link(link),
      onByte: this.link.heard,
    });
  }

  get overview(): Overview | null {
    return this.#overview;
  }
  get findings(): Findings | null {
    return this.#findings;
  }
  /** Why there is no overview; null once there is one. */
  get error(): ApiError | null {
    return this.#overview ? null : this.#error;
  }
  /** The version that the table runs now, when the page was loaded from another one. */
  get newerVersion(): string | null {
    return this.#outdated ? this.#servedVersion : null;
  }

  start(): void {
    this.#stream.start();
    void this.refresh();
    if (this.#loadedVersion === null) void this.#readVersion();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#stream.stop();
  }

  wake(): void {
    this.#wasLost = true;
    this.#stream.start();
    this.#stream.wake();
  }

  /** Nothing of one user's data stays for the next. */
  forget(): void {
    this.stop();
    this.#overview = this.#findings = this.#error = null;
    this.#latest = {};
  }

  refresh = async (): Promise<void> => {
    try {
      const { body, aheadMs } = await readOverview();
      this.#clock.correct(aheadMs);
      this.#take(body);
      this.#flush();
    } catch (thrown) {
      this.#error = asApiError(thrown, '/api/overview');
      if (this.#error.status === 401) this.#onRefused();
    }
  };

  async #readVersion(): Promise<void> {
    const version = await readVersion().catch(() => null);
    if (version) this.#loadedVersion ??= version.chimney_version;
  }

  #link(link: Link): void {
    this.link.changed(link);
    if (link.state === 'refused') this.#onRefused();
    if (link.state === 'waiting') this.#wasLost = true;
    if (link.state !== 'live' || !this.#wasLost) return;
    // The stream tells what changes from now on, not what changed while it was away.
    this.#wasLost = false;
    void this.refresh();
  }

  #event(event: ServerEvent): void {
    if (event.type === 'hello') this.#hello(JSON.parse(event.data) as Hello);
    else if (event.type === 'overview') this.#take(JSON.parse(event.data) as Overview);
    else if (event.type === 'overview_changed') this.#change(JSON.parse(event.data) as OverviewChanged);
    else if (event.type === 'findings') this.#latest.findings = JSON.parse(event.data) as Findings;
    else return;
    this.#timer ??= setTimeout(() => this.#flush(), BATCH_MS);
  }

  #hello(hello: Hello): void {
    this.#loadedVersion ??= hello.version;
    this.#servedVersion = hello.version;
    this.#outdated = hello.version !== this.#loadedVersion;
  }

  /** Without the whole there is nothing to change; it is on its way. */
  #change(delta: OverviewChanged): void {
    const held = this.#latest.overview ?? this.#overview;
    if (held) this.#take(withChanges(held, delta));
  }

  #take(overview: Overview): void {
    this.link.lag(this.#clock.age(overview.at));
    const held = this.#latest.overview ?? this.#overview;
    if (held && Date.parse(held.at) > Date.parse(overview.at)) return;
    this.#latest = { overview, findings: overview.findings };
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#latest.overview) this.#overview = this.#latest.overview;
    if (this.#latest.findings) this.#findings = this.#latest.findings;
    this.#latest = {};
  }
}
