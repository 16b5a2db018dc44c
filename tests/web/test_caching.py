"""Conditional requests from our own clients."""

import pytest

from chimney.web.caching import matches


@pytest.mark.parametrize(
    ("asked", "etag", "same"),
    [
        ('"a"', '"a"', True),
        ('W/"a"', '"a"', True),
        ('"a"', 'W/"a"', True),
        ('"b", W/"a" ,"c"', '"a"', True),
        ("*", '"a"', True),
        (" * ", '"a"', True),
        ('"b"', '"a"', False),
        ("", '"a"', False),
        ("a", '"a"', False),
        ('w/"a"', '"a"', False),
        ('"A"', '"a"', False),
        ("," * 100_000, '"a"', False),
    ],
)
def test_tags_compare_weakly(asked: str, etag: str, same: bool) -> None:
    assert matches(asked, etag) is same
