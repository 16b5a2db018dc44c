/** Deployments by day as people say it: `2.4 a day`, `3 a week`, `1 in 12 days`. */
export function frequency(perDay: number | null): string {
  if (perDay === null) return '–';
  if (perDay === 0) return 'none';
  if (perDay >= 1) return `${short(perDay)} a day`;
  if (perDay * 7 >= 1) return `${short(perDay * 7)} a week`;
  return `1 in ${Math.round(1 / perDay)} days`;
}

const short = (value: number): string => value.toFixed(value < 9.95 ? 1 : 0).replace(/\.0$/, '');
