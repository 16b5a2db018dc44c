"""GitHub's deployments as we read and make them, and what is told of telling GitHub."""

from enum import StrEnum

from chimney.wire.base import Message, Timestamp


class State(StrEnum):
    """Of a GitHub deployment; there are more, these are the ones that we post."""

    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILURE = "failure"
    INACTIVE = "inactive"


class GitHubDeployment(Message, frozen=True, kw_only=True):
    """`payload` is an object, or a text that may hold one."""

    id: int
    created_at: Timestamp
    payload: object = None


class GitHubDeploymentStatus(Message, frozen=True, kw_only=True):
    state: str


class Telling(StrEnum):
    ON = "on"
    OFF = "off"  # GitHub says that the token may not
    NOT_CONFIGURED = "not_configured"


class GitHubTelling(Message, frozen=True, kw_only=True):
    """Whether GitHub is told of deployments; `detail` says why not, or what fails now; `waiting` are yet to be told."""

    state: Telling
    detail: str | None = None
    waiting: int = 0
