/** A log record on one line. A finished request reads like one; anything else is its message and then its fields. */
import { milliseconds } from './number';

export interface LogLine {
  text: string;
  /** HTTP status of a request line, else null. */
  status: number | null;
  /** What stands dimmed behind it. */
  rest: string;
}

/** Shown elsewhere on the line, or too long for one. */
const NOT_ON_THE_LINE = new Set(['stack', 'stack_info', 'request_id', 'trace_id', 'span_id']);

export function logLine(message: string, fields: Record<string, unknown>): LogLine {
  const { method, path, status } = fields;
  if (typeof method === 'string' && typeof path === 'string' && typeof status === 'number') {
    const latency = typeof fields.latency_ms === 'number' ? milliseconds(fields.latency_ms) : '';
    const rest = [fields.cache, latency, fields.error].filter(
      (part) => typeof part === 'string' && part !== '',
    );
    return { text: `${method} ${path}`, status, rest: rest.join('  ') };
  }
  const pairs = Object.entries(fields).filter(([key, value]) => !NOT_ON_THE_LINE.has(key) && value !== null);
  return {
    text: message,
    status: null,
    rest: pairs.map(([key, value]) => `${key}=${fieldText(value)}`).join('  '),
  };
}

/** Any JSON value as text; strings as they are. */
export const fieldText = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

/** The last part is given too when it does not match: joined again they are the text. */
export function splitByMatch(text: string, needle: string): { text: string; match: boolean }[] {
  if (needle === '') return [{ text, match: false }];
  const [low, lowNeedle] = [text.toLowerCase(), needle.toLowerCase()];
  // Some letters change their length in lower case; then positions would not fit.
  if (low.length !== text.length) return [{ text, match: false }];
  const parts: { text: string; match: boolean }[] = [];
  let from = 0;
  for (let at = low.indexOf(lowNeedle); at >= 0; at = low.indexOf(lowNeedle, from)) {
    if (at > from) parts.push({ text: text.slice(from, at), match: false });
    parts.push({ text: text.slice(at, at + needle.length), match: true });
    from = at + needle.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), match: false });
  return parts;
}
