import type { Service } from '$wire';
import type { RouteSeries } from './routes';

export interface Operation {
  service: string;
  operation: string;
}

/** Names of the spans that a route's requests have: `GET /route`, or the route alone. */
export function operationsOf(
  services: readonly Service[],
  row: Pick<RouteSeries, 'service' | 'route'>,
): Operation[] {
  if (row.route === '') return [];
  return services
    .filter((one) => row.service === '' || one.name === row.service)
    .flatMap(({ name, operations }) =>
      operations
        .filter(
          (operation) =>
            operation === row.route ||
            (/^[A-Z]+ /.test(operation) && operation.slice(operation.indexOf(' ') + 1) === row.route),
        )
        .map((operation) => ({ service: name, operation })),
    );
}
