import type { SignedIn, SignInNeeded } from '$wire';
import { asApiError, type ApiError } from '$api/http';
import { readSession, signIn, signOut } from '$api/session';

export type SessionStatus = 'unknown' | 'unreachable' | 'out' | 'in';

/** Who looks at the page. `expired` is true when the table ended the session, not the user. */
export class Session {
  #status = $state<SessionStatus>('unknown');
  #who = $state.raw<SignedIn | null>(null);
  #error = $state.raw<ApiError | null>(null);
  #expired = $state(false);
  #providers = $state.raw<SignedIn['providers']>(['password']);

  get status(): SessionStatus {
    return this.#status;
  }
  get who(): SignedIn | null {
    return this.#who;
  }
  get error(): ApiError | null {
    return this.#error;
  }
  get expired(): boolean {
    return this.#expired;
  }

  /** The ways to sign in that the table offers. */
  get providers(): SignedIn['providers'] {
    return this.#providers;
  }

  async load(): Promise<void> {
    try {
      this.#enter(await readSession());
    } catch (thrown) {
      const error = asApiError(thrown, '/api/session');
      this.#error = error.status === 401 ? null : error;
      this.#providers = (error.problem as Partial<SignInNeeded>).providers ?? this.#providers;
      this.#status = error.status === 401 ? 'out' : 'unreachable';
    }
  }

  /** Whether it went well; if not, `error` says why. */
  async signIn(password: string, user: string): Promise<boolean> {
    try {
      await signIn(password, user);
      this.#enter(await readSession());
      return true;
    } catch (thrown) {
      this.#error = asApiError(thrown, '/api/session');
      return false;
    }
  }

  /** Signed out here in any case; a session that the table could not be told to end, ends by its age. */
  async signOut(): Promise<void> {
    await signOut().catch(() => undefined);
    this.#leave(false);
  }

  /** The table answered 401. */
  expire = (): void => {
    if (this.#status === 'in') this.#leave(true);
  };

  #enter(who: SignedIn): void {
    this.#who = who;
    this.#providers = who.providers;
    this.#error = null;
    this.#expired = false;
    this.#status = 'in';
  }

  #leave(expired: boolean): void {
    this.#who = null;
    this.#error = null;
    this.#expired = expired;
    this.#status = 'out';
  }
}
