/** Times as people say them. Every function takes `now` in milliseconds; a time in the future counts as now. */

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;

/** Two units at most, the second only while it matters: `47 s`, `3 m 12 s`, `2 h 4 m`, `3 d 4 h`, `64 d`. */
export function duration(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < MINUTE) return `${s} s`;
  if (s < HOUR) return two(s, [MINUTE, 'm'], [1, 's']);
  if (s < DAY) return two(s, [HOUR, 'h'], [MINUTE, 'm']);
  if (s < 10 * DAY) return two(s, [DAY, 'd'], [HOUR, 'h']);
  return `${Math.floor(s / DAY)} d`;
}

type Unit = [seconds: number, name: string];

function two(seconds: number, [large, largeName]: Unit, [small, smallName]: Unit): string {
  const rest = Math.floor((seconds % large) / small);
  const head = `${Math.floor(seconds / large)} ${largeName}`;
  return rest === 0 ? head : `${head} ${rest} ${smallName}`;
}

/** One unit: `12 s`, `4 min`, `2 h`, `3 d`. */
export function shortDuration(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < MINUTE) return `${Math.floor(s)} s`;
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < 2 * DAY) return `${Math.floor(s / HOUR)} h`;
  return `${Math.floor(s / DAY)} d`;
}

/** `just now`, `12 s ago`, `4 min ago`, `2 h ago`, `3 d ago`. Empty for what is no time. */
export function ago(at: string | number, now: number): string {
  const then = typeof at === 'number' ? at : Date.parse(at);
  if (Number.isNaN(then)) return '';
  const seconds = (now - then) / 1000;
  return seconds < 2 ? 'just now' : `${shortDuration(seconds)} ago`;
}

export function secondsSince(at: string | number, now: number): number {
  const then = typeof at === 'number' ? at : Date.parse(at);
  return Number.isNaN(then) ? 0 : Math.max(0, (now - then) / 1000);
}

const pad = (value: number, width = 2) => String(value).padStart(width, '0');

/** Local `2026-11-23 10:12:59`. The text as it came when it is no time. */
export function absolute(at: string | number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${clock(at)}`;
}

/** Local `10:12:59`. */
export function clock(at: string | number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return String(at);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/** Local `10:12`. */
export const clockMinutes = (at: string | number): string => clock(at).slice(0, 5);

/** Local `10:12:59.218`. */
export function clockMillis(at: string | number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? String(at) : `${clock(at)}.${pad(date.getMilliseconds(), 3)}`;
}

/** Local `Mon 23 Nov` for the line between two days. */
export const day = (at: string | number): string =>
  new Date(at).toLocaleDateString('en-GB', { weekday: 'short', day: 'numeric', month: 'short' });
