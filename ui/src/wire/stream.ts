/** What OpenAPI does not name: events of the streams, a page of anything, the shape of an error (RFC 9457). */

/** A list, newest first. `next` is null on the last page; pass it back as `before`. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}

/** `instance` is the request id. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
}

/** First event of every stream. */
export interface Hello {
  version: string;
  boot: string;
  oldest_id: number | null;
  newest_id: number | null;
}

/** What was asked for is gone: `missed` records between `after_id` and `before_id`. */
export interface Gap {
  missed: number;
  after_id: number;
  before_id: number;
  reason: string;
}

export interface Heartbeat {
  at: string;
  newest_id: number | null;
}
