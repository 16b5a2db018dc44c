"""Who may use the table: people and programs, and how they show it."""

from enum import StrEnum
from typing import Annotated

import msgspec

from chimney.wire.base import Message, Timestamp
from chimney.wire.origin import SessionState
from chimney.wire.problem import Problem

# not followed by a line feed: `$` alone would take one
UserName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}$(?!\n)")]
TokenName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)")]
NewPassword = Annotated[str, msgspec.Meta(min_length=8, max_length=1000)]
Days = Annotated[int, msgspec.Meta(ge=1, le=3650)]


class Role(StrEnum):
    """Each may what the ones before it may."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    ADMIN = "admin"


class Source(StrEnum):
    """Who says that it is really them."""

    PASSWORD = "password"  # noqa: S105 — the table itself
    OIDC = "oidc"
    GITHUB = "github"


class SignedIn(SessionState, frozen=True, kw_only=True):
    """Who asks. `manages`: may change users and tokens. `providers` are the ways to sign in that are configured."""

    manages: bool
    source: Source | None
    providers: list[Source]


class SignInNeeded(Problem, frozen=True, kw_only=True):
    """Nobody is signed in; `providers` are the ways to do so."""

    providers: list[Source]


class UserItem(Message, frozen=True, kw_only=True):
    """`last_seen_at` is None for one who never was. `first` marks the user that the table made itself: it manages users
    whatever its role, and can neither be removed nor be given another role."""

    user: str
    role: Role
    source: Source
    created_at: Timestamp
    last_seen_at: Timestamp | None
    disabled: bool
    first: bool


class NewUser(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    user: UserName
    password: NewPassword
    role: Role


class UserChange(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is left out stays as it is."""

    role: Role | None = None
    password: NewPassword | None = None
    disabled: bool | None = None


class PasswordChange(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    old: str
    new: NewPassword


class NewToken(Message, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: TokenName
    role: Role
    expires_in_days: Days = 90


class TokenItem(Message, frozen=True, kw_only=True):
    """`prefix` is how the token begins, to know it again. `expires_at` is None for the one that the table makes at each
    start for the commands on its own machine."""

    id: str
    name: str
    role: Role
    prefix: str
    created_at: Timestamp
    created_by: str
    expires_at: Timestamp | None
    last_used_at: Timestamp | None


class MadeToken(TokenItem, frozen=True, kw_only=True):
    """`token` is told this once, and is not known afterwards."""

    token: str
