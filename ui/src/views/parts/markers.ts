import { shortRevision } from '$format/safe-text';
import { absolute } from '$format/time';
import { shareOf, type Range } from './range';

export interface DeployMark {
  /** Share of the width. */
  at: number;
  title: string;
}

interface Deployed {
  revision: string;
  at: string;
  origin?: string;
  slot?: string | null;
}

/** Deployments on a chart of `range`; those of the same moment are one mark. */
export function deployMarks(deployments: readonly Deployed[], range: Range): DeployMark[] {
  const marks = new Map<number, string[]>();
  for (const one of deployments) {
    const at = shareOf(one.at, range);
    if (at === null) continue;
    const place = [one.slot, one.origin].filter(Boolean).join(' on ');
    const title = `deployment ${shortRevision(one.revision)}${place && ` to ${place}`} at ${absolute(one.at)}`;
    marks.set(at, [...(marks.get(at) ?? []), title]);
  }
  return [...marks].map(([at, titles]) => ({ at, title: titles.join('\n') }));
}
