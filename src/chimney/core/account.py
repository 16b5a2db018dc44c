"""Who may what, and what may be done to whom: rules, no I/O and no clock."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from chimney.wire.account import Role, Source

FIRST_USER = "operator"
_RANK = {role: rank for rank, role in enumerate(Role)}


class Standing(msgspec.Struct, frozen=True):
    """What the rules know of a user."""

    name: str
    role: Role
    disabled: bool = False


class Person(msgspec.Struct, frozen=True):
    """Who signed in elsewhere. `subject` is theirs for ever, `name` what they call themselves there today."""

    source: Source
    subject: str
    name: str


class Refusal(StrEnum):
    """Why a change may not be."""

    FIRST_USER = "first-user"  # is the way back in
    LAST_ADMIN = "last-admin"  # nobody would be left who may manage users


def includes(role: str, needed: Role) -> bool:
    return role in _RANK and _RANK[Role(role)] >= _RANK[needed]


def manages(user: str, role: str) -> bool:
    """The first user manages users and tokens whatever its role: somebody must be able to from the start."""
    return role == Role.ADMIN or user == FIRST_USER


def refused(before: Standing, after: Standing | None, others: Iterable[Standing]) -> Refusal | None:
    """Why `before` may not become `after` (None: be removed) beside `others`; None when it may."""
    first = before.name == FIRST_USER
    if first and (after is None or after.role is not before.role):
        return Refusal.FIRST_USER
    stays = after is not None and _manages_now(after)
    if _manages_now(before) and not stays and not any(map(_manages_now, others)):
        return Refusal.LAST_ADMIN
    return None


def _manages_now(one: Standing) -> bool:
    return not one.disabled and manages(one.name, one.role)


def free_name(wanted: str, source: str, taken: Iterable[str]) -> str:
    """The name of one who signs in elsewhere: theirs, in our letters, marked when somebody here has it already."""
    plain = "".join(one if one.isascii() and (one.isalnum() or one in "._@+-") else "-" for one in wanted)
    name = plain[:48].strip("._@+-") or source
    known = {one.casefold() for one in taken}
    marked = f"{name}@{source}"
    names = (name, marked, *(f"{marked}-{number}" for number in range(2, len(known) + 3)))
    return next(one for one in names if one.casefold() not in known)
