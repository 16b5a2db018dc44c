/** Figures with a thin space between number and unit; `–` where there is none. */
export const NONE = '–';

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? NONE : grouped.format(value);

/** `4.8k`, `12k`, `1.2M`; plain below 1,000. */
export function shortCount(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (Math.abs(value) < 1000) return String(Math.round(value));
  const [divisor, unit] = Math.abs(value) < 999_950 ? [1e3, 'k'] : [1e6, 'M'];
  const scaled = value / divisor;
  return `${Math.abs(scaled) < 9.95 ? scaled.toFixed(1).replace(/\.0$/, '') : Math.round(scaled)}${unit}`;
}

/** One decimal where it tells something: `97 %`, `99.8 %`; never rounds up to 100. */
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const oneDecimal = Math.floor(value * 10 + 1e-9) / 10;
  return `${Number.isInteger(oneDecimal) ? oneDecimal : oneDecimal.toFixed(1)} %`;
}

/** `0.4 ms`, `84 ms`, `1.2 s`. */
export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (value >= 1000) return `${(value / 1000).toFixed(value < 9_950 ? 1 : 0)} s`;
  return `${value < 9.95 ? value.toFixed(1) : Math.round(value)} ms`;
}

/** Binary units: `512 B`, `1.5 KiB`, `64 MiB`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let rest = value;
  let unit = 0;
  while (rest >= 1024 && unit < units.length - 1) {
    rest /= 1024;
    unit += 1;
  }
  return `${unit > 0 && rest < 9.95 ? rest.toFixed(1) : Math.round(rest)} ${units[unit]}`;
}

/** `214/s`, `0.4/s`. */
export const perSecond = (value: number): string =>
  `${value > 0 && value < 9.95 ? value.toFixed(1) : shortCount(value)}/s`;

export const plural = (n: number, one: string, many = `${one}s`): string =>
  `${count(n)} ${n === 1 ? one : many}`;
