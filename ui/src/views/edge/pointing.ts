import { oneLine } from '$format/safe-text';
import type { Said } from '$views/parts/words';

const WORDS: Record<string, Said> = {
  split: { kind: 'bad', word: 'some proxies point to blue and some to green' },
  both: { kind: 'warn', word: 'one proxy points to both slots' },
  elsewhere: { kind: 'warn', word: 'no proxy points to a slot' },
  no_proxy: { kind: 'warn', word: 'the configuration has no proxy' },
  no_slots: { kind: 'unknown', word: 'where it points cannot be told: CHIMNEY_SLOTS is not set' },
  unknown: { kind: 'unknown', word: 'where it points is not known' },
};

/** Where visitors go, as the configuration of Caddy says. */
export const pointingWord = (pointing: string, slot: string | null): Said =>
  pointing === 'active'
    ? { kind: 'ok', word: `visitors go to ${oneLine(slot ?? '', 20)}` }
    : (WORDS[pointing] ?? { kind: 'unknown', word: oneLine(pointing, 60) });
