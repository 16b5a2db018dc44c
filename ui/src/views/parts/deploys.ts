import type { Deployment, DeployStatus, Overview } from '$wire';

const started = (deployment: Deployment): number => Date.parse(deployment.started_at);

/** What the origin that was deployed to last says; null when no deployment was ever reported. */
export function lastDeployed(overview: Overview | null): DeployStatus | null {
  const all = overview?.origins.flatMap((origin) => origin.deploy ?? []) ?? [];
  const at = (status: DeployStatus | null) => (status?.last_deploy ? started(status.last_deploy) : 0);
  return all.reduce<DeployStatus | null>(
    (newest, status) => (at(status) > at(newest) ? status : newest),
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
