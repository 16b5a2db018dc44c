/** RFC 3339 with `Z`. */
export type Timestamp = string;

/** A list, newest first. `next` is null on the last page; pass it back as `before`. */
export interface Page<T> {
  items: T[];
  next?: string | null;
}
