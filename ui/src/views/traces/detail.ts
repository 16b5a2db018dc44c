import { fieldText } from '$format/log-line';
import type { Span } from '$wire';

export interface Field {
  name: string;
  value: string;
}
export interface Group {
  title: string;
  fields: Field[];
}

const fieldsOf = (values: Record<string, unknown>): Field[] =>
  Object.entries(values).map(([name, value]) => ({ name, value: fieldText(value) ?? '' }));

/** Everything that a span says, in groups; those that `needle` leaves empty are left out. */
export function groupsOf(span: Span, needle = ''): Group[] {
  const own = {
    service: span.service,
    name: span.name,
    kind: span.kind,
    status: span.status_message ? `${span.status}: ${span.status_message}` : span.status,
    started_at: span.started_at,
    span_id: span.span_id,
    ...(span.parent_span_id && { parent_span_id: span.parent_span_id }),
    ...(span.scope && { scope: span.scope }),
  };
  const groups = [
    ...span.events.map((event) => ({
      title: `Event ${event.name}`,
      fields: fieldsOf({ at: event.at, ...event.attributes }),
    })),
    { title: 'Attributes', fields: fieldsOf(span.attributes) },
    { title: 'Span', fields: fieldsOf(own) },
    { title: 'Resource', fields: fieldsOf(span.resource) },
    ...span.links.map((link) => ({ title: 'Link', fields: fieldsOf(link) })),
  ];
  const low = needle.trim().toLowerCase();
  const matches = ({ name, value }: Field) => `${name} ${value}`.toLowerCase().includes(low);
  return groups
    .map((group) => ({ ...group, fields: group.fields.filter(matches) }))
    .filter((group) => group.fields.length > 0);
}

/** The request that a span belongs to, as chimney's origins name it. */
export const requestOf = (span: Span): string => {
  const id = (span.attributes as Record<string, unknown>)['chimney.request_id'];
  return typeof id === 'string' ? id : '';
};
