/** What the palette offers, and which of it fits what was typed. Pure. */
import type { ActFields, ActName } from '$api/acts';
import { oneLine, shortRevision } from '$format/safe-text';
import { href, pathOf } from '$state/route';
import type { Finding, OriginState, Overview } from '$wire';

export interface Act {
  title: string;
  name: ActName;
  fields: ActFields;
}

export interface Entry {
  /** Unlike any other's. */
  id: string;
  group: string;
  title: string;
  hint?: string;
  /** Where it leads; one that leads nowhere does `act`. */
  href?: string;
  act?: Act;
  /** Also found by these words. */
  also?: string;
  /** A search, to be remembered. */
  search?: string;
}

export interface Known {
  overview: Overview | null;
  findings: readonly Finding[];
  operates: boolean;
  /** Earlier searches, the last one first. */
  recent: readonly string[];
  places: readonly { label: string; href: string; key?: string }[];
}

export const MOST = 40;
const DEBUG_SECONDS = 300;

const TRACE = /^[0-9a-f]{32}$/i;
const REVISION = /^[0-9a-f]{7,40}$/i;
const REQUEST = /^[A-Za-z0-9._-]{8,128}$/;

/** What a pasted id may be: a trace, a request, a revision. Always also a search in the logs. */
export function pasted(text: string, overview: Overview | null): Entry[] {
  const id = text.trim();
  if (id === '') return [];
  const found: Entry[] = [];
  const group = 'What was typed';
  const search = id;
  if (TRACE.test(id))
    found.push({
      id: 'trace',
      group,
      title: `Trace ${id}`,
      href: pathOf('traces', id.toLowerCase()),
      search,
    });
  if (REVISION.test(id)) found.push(...deployed(id.toLowerCase(), overview));
  if (REQUEST.test(id) && /[0-9]/.test(id))
    found.push({
      id: 'request',
      group,
      title: `Request ${id}`,
      href: href('/logs', { request_id: id }),
      search,
    });
  found.push({
    id: 'search',
    group,
    title: `Search the logs for “${oneLine(id, 80)}”`,
    href: href('/logs', { grep: id }),
    search,
  });
  return found;
}

function deployed(revision: string, overview: Overview | null): Entry[] {
  return deploymentsOf(overview?.origins ?? [])
    .filter(({ one }) => one.revision.startsWith(revision))
    .map(({ entry }) => ({ ...entry, id: `revision-${entry.id}`, group: 'What was typed' }));
}

const deploymentsOf = (origins: readonly OriginState[]) =>
  origins.flatMap((origin) =>
    (origin.deploy?.recent_deploys ?? []).map((one) => ({
      one,
      entry: {
        id: `deployment-${origin.name}-${one.id}`,
        group: 'Deployments',
        title: `${one.pr ? `#${one.pr.number} ` : ''}${oneLine(one.pr?.title ?? one.message ?? shortRevision(one.revision), 100)}`,
        hint: `${shortRevision(one.revision)} at ${oneLine(origin.name, 40)}, ${one.phase.replace('_', ' ')}`,
        href: pathOf('deployments', origin.name, one.id),
      } satisfies Entry,
    })),
  );

const runsOf = (origins: readonly OriginState[]): Entry[] =>
  origins.flatMap((origin) =>
    (origin.pipeline?.runs ?? []).map((run) => ({
      id: `run-${origin.name}-${run.id}`,
      group: 'Workflow runs',
      title: `${oneLine(run.workflow, 60)}: ${oneLine(run.title || run.revision, 100)}`,
      hint: `${oneLine(run.branch ?? '', 60)} ${shortRevision(run.revision)}, ${run.conclusion ?? run.status}`,
      href: href(pathOf('pipelines', origin.name, run.id), { repo: origin.pipeline?.repo ?? '' }),
    })),
  );

const ofOrigin = ({ name }: OriginState): Entry[] => {
  const group = 'Origins';
  const shown = oneLine(name, 60);
  return [
    { id: `logs-${name}`, group, title: `${shown}: its log`, href: href('/logs', { source: name }) },
    { id: `check-${name}`, group, title: `${shown}: its connection`, href: '/settings/origins' },
  ];
};

const actsOn = ({ name }: OriginState): Entry[] => {
  const shown = oneLine(name, 60);
  const group = 'Act';
  const make = (id: string, title: string, act: Omit<Act, 'title'>, also: string): Entry => ({
    id: `${id}-${name}`,
    group,
    title,
    also,
    act: { ...act, title },
  });
  return [
    make(
      'debug',
      `Log debug for five minutes at ${shown}`,
      { name: 'log_level', fields: { origin: name, level: 'debug', for_seconds: DEBUG_SECONDS } },
      'level verbose',
    ),
    make('warm', `Warm the cache of ${shown}`, { name: 'warm', fields: { origin: name } }, 'fetch'),
    make(
      'drop',
      `Drop the whole cache of ${shown}`,
      { name: 'invalidate', fields: { origin: name, all: true } },
      'invalidate clear',
    ),
  ];
};

/** All that can be gone to or done, in the order in which it is shown when nothing is typed. */
export function everything({ overview, findings, operates, recent, places }: Known): Entry[] {
  const origins = overview?.origins ?? [];
  return [
    ...recent.map((text, i) => ({
      id: `recent-${i}`,
      group: 'Recent searches',
      title: oneLine(text, 100),
      href: href('/logs', { grep: text }),
      search: text,
    })),
    ...findings.map((one) => ({
      id: `finding-${one.id}`,
      group: 'Findings',
      title: oneLine(one.title, 160),
      hint: one.severity,
      href: '/#findings',
      also: one.code,
    })),
    ...places.map((place) => ({
      id: place.href,
      group: 'Go to',
      title: place.label,
      href: place.href,
      ...(place.key && { hint: `g ${place.key}` }),
    })),
    ...origins.flatMap(ofOrigin),
    ...(operates ? origins.flatMap(actsOn) : []),
    ...deploymentsOf(origins).map(({ entry }) => entry),
    ...runsOf(origins),
  ];
}

/** How well it fits; 0 when it does not. Every word must be somewhere; at the start of a word it counts more. */
export function score(text: string, entry: Entry): number {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const title = entry.title.toLowerCase();
  const rest = `${entry.hint ?? ''} ${entry.also ?? ''} ${entry.group}`.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = title.indexOf(word);
    if (at === 0) sum += 8;
    else if (at > 0) sum += /[\p{L}\p{N}]/u.test(title[at - 1] ?? '') ? 2 : 5;
    else if (rest.includes(word)) sum += 1;
    else return 0;
  }
  return sum;
}

/** What is shown for what was typed: the best first, then what may be meant by a pasted id. */
export function fitting(text: string, known: Known): Entry[] {
  const all = everything(known);
  if (text.trim() === '') return all.slice(0, MOST);
  const ids = pasted(text, known.overview);
  const scored = all
    .map((entry) => ({ entry, points: score(text, entry) }))
    .filter(({ points }) => points > 0);
  scored.sort((a, b) => b.points - a.points);
  const exact = ids.length > 1;
  const best = together(scored.slice(0, MOST).map(({ entry }) => entry));
  return exact ? [...ids, ...best] : [...best, ...ids];
}

/** Groups in the order of their best, each in one piece. */
function together(entries: readonly Entry[]): Entry[] {
  const groups = [...new Set(entries.map((one) => one.group))];
  return groups.flatMap((group) => entries.filter((one) => one.group === group));
}
