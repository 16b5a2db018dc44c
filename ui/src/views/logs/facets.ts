/** Choices of a filter with how many records each would leave. */
import type { Facets } from '$wire';

const SEVERITY = ['debug', 'info', 'warning', 'error', 'critical'];
const CHOICES = [
  { value: '', label: 'All' },
  { value: 'info', label: 'Info+' },
  { value: 'warning', label: 'Warn+' },
  { value: 'error', label: 'Error+' },
];

export interface LevelChoice {
  value: string;
  label: string;
  /** Records of this level and worse; null before the first answer. */
  count: number | null;
}

/** The least level shown: `chosen` is among the choices even when it is none of the usual. */
export function levelChoices(facets: Facets | null, chosen: string): LevelChoice[] {
  const usual = CHOICES.some(({ value }) => value === chosen);
  const choices = usual ? CHOICES : [...CHOICES, { value: chosen, label: chosen }];
  return choices.map((choice) => ({ ...choice, count: facets && atLeast(facets, choice.value) }));
}

function atLeast(facets: Facets, level: string): number {
  const least = SEVERITY.indexOf(level);
  const severity = (value: string) => (SEVERITY.includes(value) ? SEVERITY.indexOf(value) : 1);
  return facets.levels
    .filter(({ value }) => severity(value) >= least)
    .reduce((sum, one) => sum + one.count, 0);
}

export interface SourceChoice {
  value: string;
  count: number | null;
}

/** Sources with records first, then those that are known and silent, then what was chosen. */
export function sourceChoices(
  facets: Facets | null,
  known: readonly string[],
  chosen: string,
): SourceChoice[] {
  const counted = new Map(facets?.sources.map(({ value, count }) => [value, count]));
  const all = [...counted.keys(), ...known, chosen].filter((source) => source !== '');
  return [...new Set(all)].map((value) => ({ value, count: facets ? (counted.get(value) ?? 0) : null }));
}
