import zlib

import pytest

from chimney.core.account import FIRST_USER, Standing, free_name, includes, manages, refused
from chimney.core.api_token import RANDOM, is_whole, shown, token_of
from chimney.wire.account import Role

OPERATOR = Standing(FIRST_USER, Role.OPERATOR)
ADMIN = Standing("ann", Role.ADMIN)
OFF = Standing("ann", Role.ADMIN, disabled=True)


@pytest.mark.parametrize(
    ("role", "needed", "may"),
    [
        ("viewer", Role.VIEWER, True),
        ("viewer", Role.OPERATOR, False),
        ("operator", Role.VIEWER, True),
        ("operator", Role.OPERATOR, True),
        ("operator", Role.ADMIN, False),
        ("admin", Role.OPERATOR, True),
        ("owner", Role.VIEWER, False),
        ("", Role.VIEWER, False),
    ],
)
def test_each_role_may_what_the_ones_before_it_may(role: str, needed: Role, may: bool) -> None:
    assert includes(role, needed) is may


def test_admins_and_the_first_user_manage() -> None:
    assert [manages(*who) for who in (("ann", "admin"), (FIRST_USER, "operator"), ("ann", "operator"))] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("before", "after", "others", "slug"),
    [
        (OPERATOR, None, [ADMIN], "first-user"),
        (OPERATOR, Standing(FIRST_USER, Role.VIEWER), [ADMIN], "first-user"),
        (OPERATOR, Standing(FIRST_USER, Role.OPERATOR, disabled=True), [], "last-admin"),
        (OPERATOR, Standing(FIRST_USER, Role.OPERATOR, disabled=True), [OFF], "last-admin"),
        (OPERATOR, Standing(FIRST_USER, Role.OPERATOR, disabled=True), [ADMIN], None),
        (OPERATOR, OPERATOR, [], None),
        (ADMIN, None, [Standing(FIRST_USER, Role.OPERATOR, disabled=True)], "last-admin"),
        (ADMIN, Standing("ann", Role.VIEWER), [Standing("bob", Role.OPERATOR)], "last-admin"),
        (ADMIN, OFF, [Standing("bob", Role.ADMIN)], None),
        (ADMIN, None, [OPERATOR], None),
        (Standing("bob", Role.VIEWER), None, [OPERATOR], None),
    ],
)
def test_somebody_who_manages_users_is_always_left(
    before: Standing, after: Standing | None, others: list[Standing], slug: str | None
) -> None:
    assert refused(before, after, others) == slug


@pytest.mark.parametrize(
    ("wanted", "taken", "name"),
    [
        ("ann", [], "ann"),
        ("ann", ["ann"], "ann@github"),
        ("ann", ["ann", "ann@github"], "ann@github-2"),
        (FIRST_USER, [FIRST_USER], "operator@github"),
        ("Ann", ["ann"], "Ann@github"),
        ("Ann Lee <x>", [], "Ann-Lee--x"),
        ("@@", [], "github"),
        ("", ["github"], "github@github"),
        ("é\n/../", [], "github"),
        ("x" * 99, [], "x" * 48),
    ],
)
def test_one_who_signs_in_elsewhere_never_gets_the_name_of_another(wanted: str, taken: list[str], name: str) -> None:
    assert free_name(wanted, "github", taken) == name


def test_a_token_has_a_mark_160_bits_and_a_checksum() -> None:
    token = token_of(bytes(range(200)))
    assert token.startswith("chimney_0123456789")
    assert RANDOM * 5.95 > 160
    assert is_whole(token)
    assert shown(token) == "chimney_0123"
    assert int.from_bytes(zlib.crc32(token[8:48].encode()).to_bytes(4, "big"), "big") < 62**6


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "0", lambda t: "x" + t[1:], lambda t: t.swapcase()])
def test_a_token_that_was_damaged_is_known_as_such(change: object) -> None:
    token = token_of(bytes(range(200)))
    assert not is_whole(change(token))  # type: ignore[operator]


def test_letters_of_a_token_are_equally_likely() -> None:
    drawn = token_of(bytes([*range(248, 256)] * 3 + [0] * 40))
    assert drawn[8:48] == "0" * 40, "bytes that would favour some are not used"
    with pytest.raises(ValueError, match="too few"):
        token_of(b"\xff" * 80)
