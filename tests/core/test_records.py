import json
from datetime import UTC, datetime

import pytest

from chimney.core.records import DEEPEST, milliseconds, parse, rfc3339

NOW = 1_790_000_000_000


def record(**fields: object) -> bytes:
    return json.dumps({"ts": "2026-09-21T14:13:20.123Z", "level": "info", "message": "m", **fields}).encode()


def test_a_record_is_split_into_what_is_searched_and_the_rest() -> None:
    parsed = parse(record(logger="l", request_id="r", trace_id="t", status=200, nothing=None), now_ms=NOW)
    assert (parsed.message, parsed.logger, parsed.request_id, parsed.trace_id) == ("m", "l", "r", "t")
    assert parsed.fields == {"status": 200}
    assert rfc3339(parsed.ts_ms) == "2026-09-21T14:13:20.123Z"


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b'"text"', b"\xff\xfe", b"[" * 100_000, b"null"])
def test_what_cannot_be_read_is_kept_as_a_warning_that_says_why(data: bytes) -> None:
    parsed = parse(data, now_ms=NOW)
    assert parsed.level == 30
    assert parsed.ts_ms == NOW
    assert "JSON" in parsed.fields["unreadable"]


@pytest.mark.parametrize(
    ("level", "number"),
    [("error", 40), ("WARN", 30), ("warning", 30), ("fatal", 50), ("loud", 20), (None, 20), (7, 20), ({}, 20)],
)
def test_a_level_that_we_do_not_know_is_info(level: object, number: int) -> None:
    assert parse(record(level=level), now_ms=NOW).level == number


@pytest.mark.parametrize(
    "ts", ["", "yesterday", None, 5, "2999-01-01T00:00:00Z", "9" * 50, "0001-01-01T00:00:00+23:59"]
)
def test_a_time_that_cannot_be_true_is_the_time_of_arrival(ts: object) -> None:
    assert parse(record(ts=ts), now_ms=NOW).ts_ms == NOW


def test_a_time_without_offset_is_utc() -> None:
    assert milliseconds("2026-01-01T00:00:00") == int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1000)
    assert milliseconds("2026-01-01T01:00:00+01:00") == milliseconds("2026-01-01T00:00:00Z")


def test_secrets_are_masked_wherever_they_stand() -> None:
    token = "ghp_" + "a" * 36
    parsed = parse(record(message=f"x {token}", request_id=token, deep={"list": [token], token: 1}), now_ms=NOW)
    assert token not in repr(parsed)


def test_invisible_characters_are_spelled_out() -> None:
    parsed = parse(record(message="a\u202eb\x1b[2Jc", key="\u200b"), now_ms=NOW)
    assert parsed.message == "a\\u202eb\\u001b[2Jc"
    assert parsed.fields == {"key": "\\u200b"}


def test_a_huge_record_is_bounded_in_every_direction() -> None:
    deep: object = "bottom"
    for _ in range(DEEPEST + 50):
        deep = {"in": deep}
    parsed = parse(
        record(message="x" * 1_000_000, wide={str(i): i for i in range(10_000)}, deep=deep, id="y" * 99_999), now_ms=NOW
    )
    assert len(repr(parsed)) < 40_000
    assert "nested too deeply" in repr(parsed.fields)


def test_lone_surrogates_and_large_numbers_do_no_harm() -> None:
    parsed = parse(b'{"message": "\\ud800 x", "big": 123456789012345678901234567890, "f": 1e400}', now_ms=NOW)
    assert "x" in parsed.message
    json.dumps(parsed.fields)


def test_a_message_that_is_no_text_becomes_one() -> None:
    assert parse(record(message={"a": 1}), now_ms=NOW).message == "{'a': 1}"


@pytest.mark.parametrize("ts_ms", [-(10**18), 10**18, 0])
def test_any_number_can_be_shown_as_a_time(ts_ms: int) -> None:
    assert rfc3339(ts_ms).endswith("Z")
