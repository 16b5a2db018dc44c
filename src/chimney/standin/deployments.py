"""What can happen to deployments and releases. Every function tells the repository's listeners."""

from chimney.standin.model import Deployment, DeploymentStatus, Progress, Release, Run, Target, User
from chimney.standin.repository import MAIN, RefusedError, Repository
from chimney.standin.vocabulary import ACTIONS

STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")
ENVIRONMENT_URL = "https://ferrytimes.example"


def create_deployment(
    repo: Repository, target: Target, *, at: float, creator: User, run: Run | None = None
) -> Deployment:
    commit = repo.resolve(target.ref)
    if commit is None:
        raise RefusedError(f"No ref found for: {target.ref}")
    deployment = Deployment(
        id=repo.next_id("deployment"), sha=commit.sha, ref=target.ref, environment=target.environment,
        description=target.description, creator=creator, created_at=at, updated_at=at, task=target.task,
        payload={} if target.payload is None else target.payload, run=run.id if run else None,
        slot=target.slot or idle_slot(repo), production=target.environment == "production",
    )  # fmt: skip
    repo.deployments[deployment.id] = deployment
    repo.tell("deployment", "created", deployment, at=at, sender=creator, run=run)
    return deployment


def add_status(
    repo: Repository,
    deployment: Deployment,
    progress: Progress,
    *,
    at: float,
    creator: User,
    auto_inactive: bool = True,
) -> DeploymentStatus:
    """GitHub fires no webhook for `inactive`, neither when asked for nor when a newer success causes it."""
    state = progress.state
    if state not in STATES:
        raise RefusedError(f"state: {state!r} is not one of {', '.join(STATES)}")
    status = DeploymentStatus(
        id=repo.next_id("status"), state=state, description=progress.description, creator=creator, at=at,
        environment_url=progress.environment_url, log_url=progress.log_url,
    )  # fmt: skip
    deployment.statuses.append(status)
    deployment.updated_at = at
    if state == "success" and auto_inactive:
        _retire_earlier(repo, deployment, at=at, creator=creator)
    if state == "inactive":
        repo.version += 1
        return status
    run = repo.runs.get(deployment.run) if deployment.run else None
    repo.tell("deployment_status", "created", status, at=at, sender=creator, deployment=deployment, run=run)
    return status


def _retire_earlier(repo: Repository, deployment: Deployment, *, at: float, creator: User) -> None:
    for other in repo.deployments.values():
        live = other.state == "success" and other.environment == deployment.environment
        if live and other is not deployment and not other.transient:
            other.statuses.append(
                DeploymentStatus(id=repo.next_id("status"), state="inactive", description="", creator=creator, at=at)
            )
            other.updated_at = at


def idle_slot(repo: Repository) -> str:
    """The slot that the next deployment goes to: not the one of the newest successful deployment."""
    for deployment in reversed(repo.deployments.values()):
        if deployment.state in {"success", "inactive"}:
            return "green" if deployment.slot == "blue" else "blue"
    return "blue"


def begin_for_run(repo: Repository, run: Run, *, at: float) -> Deployment:
    """What a job with an `environment` does when it starts."""
    deployment = create_deployment(repo, Target(ref=run.sha, slot=run.slot), at=at, creator=ACTIONS, run=run)
    run.deployment, run.slot = deployment.id, deployment.slot
    progress = Progress(state="in_progress", log_url=_log_url(repo, run))
    add_status(repo, deployment, progress, at=at, creator=ACTIONS)
    return deployment


def end_for_run(repo: Repository, run: Run, *, at: float, conclusion: str) -> None:
    deployment = repo.deployments.get(run.deployment or 0)
    if deployment is None:
        return
    state = {"success": "success", "cancelled": "error"}.get(conclusion, "failure")
    url = ENVIRONMENT_URL if state == "success" else ""
    progress = Progress(state=state, environment_url=url, log_url=_log_url(repo, run))
    add_status(repo, deployment, progress, at=at, creator=ACTIONS)


def _log_url(repo: Repository, run: Run) -> str:
    return f"https://github.com/{repo.full_name}/actions/runs/{run.id}/job/{run.jobs[0].id}"


def next_tag(repo: Repository) -> str:
    latest = repo.latest_release
    if latest is None:
        return "v1.0.0"
    major, minor, patch = (int(part) for part in latest.tag.lstrip("v").split("."))
    if repo.random.random() < 0.4:
        return f"v{major}.{minor + 1}.0"
    return f"v{major}.{minor}.{patch + 1}"


def publish_release(
    repo: Repository,
    *,
    at: float,
    author: User,
    tag: str,
    name: str | None = None,
    body: str | None = None,
    prerelease: bool = False,
) -> Release:
    """Of the default branch as it stands."""
    sha = repo.branches[MAIN]
    if tag in repo.releases:
        raise RefusedError(f"tag: {tag} already_exists")
    release = Release(
        id=repo.next_id("release"), tag=tag, name=name or tag, body=body or _notes(repo, sha), sha=sha, author=author,
        created_at=at, published_at=at, prerelease=prerelease,
    )  # fmt: skip
    repo.releases[tag] = release
    repo.tags[tag] = sha
    repo.tell("release", "published", release, at=at, sender=author)
    return release


def _notes(repo: Repository, sha: str) -> str:
    """The titles since the tag before, as GitHub's generated notes list them."""
    tagged = set(repo.tags.values())
    lines: list[str] = []
    for commit in repo.ancestry(sha):
        if commit.sha in tagged or len(lines) == 20:
            break
        lines.append(f"* {commit.title} by @{commit.author.login}")
    return "## What's Changed\n" + "\n".join(lines)
