/** How long to wait before trying again. Half of the delay is fixed, half random, so that tabs do not return at once. */
export const FIRST_DELAY_MS = 500;
export const LONGEST_DELAY_MS = 15_000;

export function delayBeforeTry(attempt: number, options: { floorMs: number; random: () => number }): number {
  const grown = Math.min(FIRST_DELAY_MS * 2 ** Math.min(attempt, 10), LONGEST_DELAY_MS);
  const delay = grown * (0.5 + options.random() / 2);
  return options.floorMs > 0
    ? options.floorMs * (1 + options.random() / 4) + (attempt > 0 ? delay : 0)
    : delay;
}
