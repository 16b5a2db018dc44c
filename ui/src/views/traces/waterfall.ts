/** A trace as rows: its spans as a tree, what took the time, its log records where they happened. Pure. */
import type { LogRow, Span } from '$wire';

export interface SpanLine {
  kind: 'span';
  span: Span;
  depth: number;
  children: number;
  folded: boolean;
  /** Its parent is not among the spans: not sent yet, not sampled, or kept elsewhere. */
  orphan: boolean;
}
export interface LogLineOf {
  kind: 'log';
  row: LogRow;
  depth: number;
  offset_ms: number;
}
export type Line = SpanLine | LogLineOf;

export const endOf = (span: Span): number => span.offset_ms + span.duration_ms;

function childrenOf(spans: readonly Span[]): Map<string | null, Span[]> {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map<string | null, Span[]>();
  for (const span of spans) {
    const own = span.parent_span_id !== null && span.parent_span_id !== span.span_id;
    const parent = own && known.has(span.parent_span_id ?? '') ? span.parent_span_id : null;
    const siblings = children.get(parent);
    if (siblings) siblings.push(span);
    else children.set(parent, [span]);
  }
  return children;
}

/** Those without a parent, and of spans that are each other's parents the first. */
function rootsOf(spans: readonly Span[], children: Map<string | null, Span[]>): Span[] {
  const reached = new Set<string>();
  const reach = (root: Span) => {
    const work = [root];
    for (let span = work.pop(); span; span = work.pop()) {
      if (reached.has(span.span_id)) continue;
      reached.add(span.span_id);
      work.push(...(children.get(span.span_id) ?? []));
    }
  };
  const roots = [...(children.get(null) ?? [])];
  roots.forEach(reach);
  for (const span of spans) {
    if (reached.has(span.span_id)) continue;
    roots.push(span);
    reach(span);
  }
  return roots;
}

/** Spans in the order of their tree, each with its log records behind it; `folded` spans keep what is below to themselves. */
export function linesOf(
  trace: { spans: readonly Span[]; logs: readonly LogRow[]; started_at: string | null },
  folded: ReadonlySet<string>,
): Line[] {
  const children = childrenOf(trace.spans);
  const logs = logsBySpan(trace);
  const lines: Line[] = [];
  const seen = new Set<string>();
  const work = rootsOf(trace.spans, children)
    .map((span) => ({ span, depth: 0 }))
    .reverse();
  for (let next = work.pop(); next; next = work.pop()) {
    const { span, depth } = next;
    if (seen.has(span.span_id)) continue;
    seen.add(span.span_id);
    const below = children.get(span.span_id) ?? [];
    const orphan = depth === 0 && span.parent_span_id !== null;
    lines.push({
      kind: 'span',
      span,
      depth,
      children: below.length,
      folded: folded.has(span.span_id),
      orphan,
    });
    if (folded.has(span.span_id)) continue;
    lines.push(...(logs.get(span.span_id) ?? []).map((one) => ({ ...one, depth: depth + 1 })));
    work.push(...below.map((child) => ({ span: child, depth: depth + 1 })).reverse());
  }
  return [...lines, ...(logs.get('') ?? [])];
}

const spanOfLog = (row: LogRow): string =>
  row.span_id ?? (typeof row.fields?.span_id === 'string' ? row.fields.span_id : '');

/** Under '' are those that name no span that is here. */
function logsBySpan(trace: { spans: readonly Span[]; logs: readonly LogRow[]; started_at: string | null }) {
  const known = new Set(trace.spans.map((span) => span.span_id));
  const start = Date.parse(trace.started_at ?? trace.logs[0]?.ts ?? '');
  const found = new Map<string, LogLineOf[]>();
  for (const row of trace.logs) {
    const named = spanOfLog(row);
    const span = known.has(named) ? named : '';
    const offset_ms = Math.max(0, Date.parse(row.ts) - start) || 0;
    found.set(span, [...(found.get(span) ?? []), { kind: 'log', row, depth: 0, offset_ms }]);
  }
  return found;
}

export interface Part {
  from: number;
  to: number;
}

/**
 * What the trace waited for, by span: walked back from its end, always into the child that ended last before that point;
 * what is left is the span's own time. A child is believed no longer than its parent.
 */
export function criticalPath(spans: readonly Span[]): Map<string, Part[]> {
  const children = childrenOf(spans);
  const path = new Map<string, Part[]>();
  const work = rootsOf(spans, children).map((span) => ({ span, until: endOf(span) }));
  for (let next = work.pop(); next; next = work.pop()) {
    const { span, until } = next;
    if (path.has(span.span_id)) continue;
    const parts: Part[] = [];
    let at = until;
    const ended = (children.get(span.span_id) ?? [])
      .map((child) => ({ span: child, until: Math.min(endOf(child), until) }))
      .sort((a, b) => b.until - a.until);
    for (const child of ended) {
      if (child.until > at || child.until <= child.span.offset_ms) continue;
      if (at > child.until) parts.push({ from: child.until, to: at });
      work.push(child);
      at = Math.max(span.offset_ms, child.span.offset_ms);
    }
    if (at > span.offset_ms) parts.push({ from: span.offset_ms, to: at });
    path.set(span.span_id, parts.reverse());
  }
  return path;
}

export const ownTime = (parts: readonly Part[] | undefined): number =>
  (parts ?? []).reduce((sum, part) => sum + part.to - part.from, 0);

/** What a client's span asked for: its name is often the method alone. */
export function hintOf(span: Span): string {
  const attributes = span.attributes as Record<string, unknown>;
  const status = attributes['http.response.status_code'] ?? attributes['http.status_code'];
  const url = attributes['url.full'] ?? attributes['http.url'] ?? attributes['db.query.text'];
  return [typeof url === 'string' ? pathOf(url) : '', typeof status === 'number' ? String(status) : '']
    .filter(Boolean)
    .join(' ');
}

function pathOf(url: string): string {
  try {
    const { host, pathname, search } = new URL(url);
    return host + pathname + search;
  } catch {
    return url;
  }
}

export function mentions(span: Span, needle: string): boolean {
  const text = JSON.stringify([
    span.name,
    span.service,
    span.span_id,
    span.status_message,
    span.attributes,
    span.events,
  ]);
  return text.toLowerCase().includes(needle.trim().toLowerCase());
}
