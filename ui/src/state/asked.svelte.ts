import { asApiError, type ApiError } from '$api/http';

/** After a failure it is asked again sooner, and less and less often. */
const AGAIN_MS = [2_000, 5_000, 10_000, 20_000];

/**
 * What the table answers at one address, kept while it is watched. The last answer stays while a newer one is asked
 * for and when that fails: `error` then says why it is old.
 */
export class Asked<T> {
  #value = $state.raw<T | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #at = $state<number | null>(null);
  #asking = $state(false);
  #path: string | null = null;
  #failures = 0;
  #aborted: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `read` asks; `everyMs` 0 asks once; `onRefused` is told when the session is over. */
  constructor(
    private readonly options: {
      read: (path: string, signal: AbortSignal) => Promise<T>;
      everyMs?: number;
      onRefused: () => void;
    },
  ) {}

  get value(): T | null {
    return this.#value;
  }
  get error(): ApiError | null {
    return this.#error;
  }
  /** When the last answer came, milliseconds of this machine; null before the first. */
  get at(): number | null {
    return this.#at;
  }
  get asking(): boolean {
    return this.#asking;
  }
  /** There is something to show, and it may no longer be true. */
  get stale(): boolean {
    return this.#value !== null && this.#error !== null;
  }

  /** Asks for `path` now and every so often; gives what ends it. Another path forgets the answer unless `keep`. */
  watch(path: string, { keep = false }: { keep?: boolean } = {}): () => void {
    if (path !== this.#path && !keep) this.#forget();
    this.#path = path;
    void this.#ask();
    return () => this.#end();
  }

  /** Asks again now: somebody pressed a button, or knows that it changed. */
  again = (): void => {
    if (this.#path !== null) void this.#ask();
  };

  #forget(): void {
    this.#value = this.#error = null;
    this.#at = null;
    this.#failures = 0;
  }

  #end(): void {
    this.#aborted?.abort();
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    const path = this.#path;
    if (path === null) return;
    this.#end();
    const aborted = (this.#aborted = new AbortController());
    this.#asking = true;
    try {
      const value = await this.options.read(path, aborted.signal);
      if (aborted.signal.aborted) return;
      this.#value = value;
      this.#at = Date.now();
      this.#error = null;
      this.#failures = 0;
    } catch (thrown) {
      if (aborted.signal.aborted) return;
      this.#failed(asApiError(thrown, path));
    }
    this.#asking = false;
    this.#later();
  }

  #failed(error: ApiError): void {
    this.#error = error;
    this.#failures += 1;
    if (error.status === 401) this.options.onRefused();
  }

  #later(): void {
    const every = this.options.everyMs ?? 0;
    const again = AGAIN_MS[Math.min(this.#failures, AGAIN_MS.length) - 1];
    // A request that makes no sense will make none in a moment.
    const hopeless = this.#error !== null && this.#error.status >= 400 && this.#error.status < 500;
    const wait = this.#failures > 0 ? (hopeless ? 0 : again) : every;
    if (wait) this.#timer = setTimeout(() => void this.#ask(), wait);
  }
}
