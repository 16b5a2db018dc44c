import type { Deployment, LastDeployment, Overview } from '$wire';

const started = (deployment: Deployment): number => Date.parse(deployment.started_at);

/** The newest deployment over all origins, null when none was ever reported. */
export function lastDeployment(overview: Overview | null): LastDeployment | null {
  const all = overview?.origins.flatMap((origin) => origin.deploy?.last_deploy ?? []) ?? [];
  return all.reduce<LastDeployment | null>(
    (newest, d) => (!newest || started(d) > started(newest) ? d : newest),
    null,
  );
}

/** What is being deployed now, null when nothing is. */
export function deploymentInProgress(overview: Overview | null): Deployment | null {
  const all = overview?.origins.flatMap((origin) => origin.deploy?.in_progress ?? []) ?? [];
  return all.reduce<Deployment | null>(
    (newest, d) => (!newest || started(d) > started(newest) ? d : newest),
    null,
  );
}
