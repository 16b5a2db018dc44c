"""The things a repository is made of. Times are unix seconds of virtual time."""

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True, frozen=True)
class User:
    id: int
    login: str
    name: str
    email: str
    type: str = "User"


@dataclass(slots=True, kw_only=True, frozen=True)
class Label:
    id: int
    name: str
    color: str
    description: str


@dataclass(slots=True, kw_only=True)
class Milestone:
    id: int
    number: int
    title: str
    description: str
    created_at: float
    due_on: float
    closed_at: float | None = None


@dataclass(slots=True, kw_only=True, frozen=True)
class Commit:
    sha: str
    message: str
    author: User
    at: float
    parents: tuple[str, ...]
    pull: int | None = None

    @property
    def title(self) -> str:
        return self.message.partition("\n")[0]


@dataclass(slots=True, kw_only=True)
class Issue:
    id: int
    number: int
    title: str
    body: str
    user: User
    created_at: float
    updated_at: float
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    milestone: Milestone | None = None
    comments: int = 0
    state: str = "open"
    closed_at: float | None = None
    closed_by: User | None = None

    @property
    def is_bug(self) -> bool:
        return any(label.name == "type:bug" for label in self.labels)


@dataclass(slots=True, kw_only=True)
class Pull(Issue):
    """GitHub numbers pull requests among the issues and lists them there too."""

    head_ref: str
    head_sha: str
    base_sha: str
    commits: list[str]
    draft: bool = False
    merged_at: float | None = None
    merged_by: User | None = None
    merge_sha: str | None = None
    closes: int | None = None


@dataclass(slots=True, kw_only=True, frozen=True)
class JobPlan:
    """`seconds` is how long it takes when the history's clock runs; `fails_at` the step that breaks."""

    name: str
    steps: tuple[str, ...]
    seconds: float
    fails_at: int = 1
    environment: str | None = None


@dataclass(slots=True, kw_only=True, frozen=True)
class Workflow:
    id: int
    name: str
    path: str
    jobs: tuple[JobPlan, ...]


@dataclass(slots=True, kw_only=True)
class Job:
    id: int
    plan: JobPlan
    attempt: int
    created_at: float
    status: str = "queued"
    conclusion: str | None = None
    started_at: float | None = None
    completed_at: float | None = None
    runner: int = 0


@dataclass(slots=True, kw_only=True)
class Run:
    id: int
    number: int
    workflow: Workflow
    event: str
    branch: str
    sha: str
    title: str
    actor: User
    triggering_actor: User
    created_at: float
    started_at: float
    updated_at: float
    jobs: list[Job]
    attempt: int = 1
    status: str = "queued"
    conclusion: str | None = None
    pulls: tuple[int, ...] = ()
    past: dict[int, list[Job]] = field(default_factory=dict)
    deployment: int | None = None
    slot: str | None = None

    @property
    def done(self) -> bool:
        return self.status == "completed"


@dataclass(slots=True, kw_only=True, frozen=True)
class DeploymentStatus:
    id: int
    state: str
    description: str
    creator: User
    at: float
    environment_url: str = ""
    log_url: str = ""


@dataclass(slots=True, kw_only=True)
class Deployment:
    """`run` is the workflow run that made it; None when it was made through the API."""

    id: int
    sha: str
    ref: str
    environment: str
    description: str | None
    creator: User
    created_at: float
    updated_at: float
    task: str = "deploy"
    payload: object = field(default_factory=dict)
    statuses: list[DeploymentStatus] = field(default_factory=list)
    run: int | None = None
    slot: str = "blue"
    transient: bool = False
    production: bool = True

    @property
    def state(self) -> str:
        return self.statuses[-1].state if self.statuses else "pending"


@dataclass(slots=True, kw_only=True)
class Release:
    id: int
    tag: str
    name: str
    body: str
    sha: str
    author: User
    created_at: float
    published_at: float
    prerelease: bool = False


@dataclass(slots=True, kw_only=True, frozen=True)
class Proposal:
    """A pull request before it is opened. `closes` is the number of the issue that merging it closes."""

    title: str
    branch: str
    author: User
    labels: list[Label]
    draft: bool = False
    body: str = ""
    closes: int | None = None


@dataclass(slots=True, kw_only=True, frozen=True)
class Trigger:
    """Why a workflow runs, and on what."""

    event: str
    branch: str
    sha: str
    title: str
    actor: User
    pulls: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True, frozen=True)
class Target:
    """What to deploy where. No `slot`: the idle one."""

    ref: str
    environment: str = "production"
    description: str | None = None
    task: str = "deploy"
    payload: object = None
    slot: str | None = None


@dataclass(slots=True, kw_only=True, frozen=True)
class Progress:
    """How far a deployment is, in the words of its next status."""

    state: str
    description: str = ""
    environment_url: str = ""
    log_url: str = ""


Subject = Issue | Run | Job | Deployment | DeploymentStatus | Release | None
