import type { OriginPipeline } from '$wire';

/** What every panel beside the runs is given. */
export interface PanelProps {
  items: OriginPipeline[];
  loading: boolean;
  stale: boolean;
  age: string;
}

/** Each repository once, though several origins watch it; those that told nothing are left out. */
export const once = (items: readonly OriginPipeline[]): OriginPipeline[] => {
  const seen = new Map<string, OriginPipeline>();
  for (const item of items) {
    if (item.pipeline && item.repo && !seen.has(item.repo)) seen.set(item.repo, item);
  }
  return [...seen.values()];
};
