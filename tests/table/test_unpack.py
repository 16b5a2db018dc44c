"""Bodies of OTLP requests, hostile ones above all."""

import gzip
import time
import zlib

import pytest
from tests.fakes import otlp as sent

from chimney.table.unpack import (
    COUNTS,
    JSON,
    LARGEST,
    PROTOBUF,
    RefusedError,
    Signal,
    is_zipped,
    media_of,
    message_of,
    unzip,
)


def refused(signal: Signal, body: bytes, media: str) -> tuple[int, str]:
    with pytest.raises(RefusedError) as caught:
        message_of(signal, body, media=media)
    return caught.value.status, caught.value.message


def test_a_bomb_is_cut_at_the_cap_whatever_its_ratio() -> None:
    began = time.perf_counter()
    with pytest.raises(RefusedError) as caught:
        unzip(sent.bomb(1024**3))
    assert caught.value.status == 413
    assert time.perf_counter() - began < 10


def test_what_just_fits_is_unzipped() -> None:
    assert unzip(gzip.compress(bytes(LARGEST))) == bytes(LARGEST)
    with pytest.raises(RefusedError):
        unzip(gzip.compress(bytes(LARGEST + 1)))


def test_gzip_may_come_in_members() -> None:
    assert unzip(gzip.compress(b"one ") + gzip.compress(b"two")) == b"one two"
    assert unzip(b"") == b""


@pytest.mark.parametrize("body", [b"not gzip", zlib.compress(b"x"), gzip.compress(b"x" * 99)[:-9], b"\x1f\x8b"])
def test_what_is_not_gzip_or_not_whole_is_malformed(body: bytes) -> None:
    with pytest.raises(RefusedError) as caught:
        unzip(body)
    assert caught.value.status == 400


def test_zipped_twice_is_malformed_and_said_to_be() -> None:
    twice = unzip(gzip.compress(gzip.compress(sent.logs_in_protobuf(1))))
    status, message = refused(Signal.LOGS, twice, PROTOBUF)
    assert status == 400
    assert "zipped once more" in message


@pytest.mark.parametrize("encoding", ["zstd", "deflate", "br", "gzip, gzip", "snappy"])
def test_another_encoding_than_gzip_is_not_taken(encoding: str) -> None:
    with pytest.raises(RefusedError) as caught:
        is_zipped(encoding)
    assert caught.value.status == 415


@pytest.mark.parametrize("media", ["", "text/plain", "application/grpc", "application/x-www-form-urlencoded"])
def test_another_type_than_protobuf_and_json_is_not_taken(media: str) -> None:
    with pytest.raises(RefusedError) as caught:
        media_of(media)
    assert caught.value.status == 415


def test_parameters_of_a_type_do_not_matter() -> None:
    assert media_of("Application/JSON; charset=utf-8") == JSON


@pytest.mark.parametrize(
    "body",
    [sent.nested(1_000), sent.nested(10_000), sent.groups(100_000), b"\xff" * 100, b"\x0a\xff\xff\xff\xff\x0f"],
    ids=["nested", "nested-more", "groups", "noise", "length"],
)
def test_hostile_protobuf_is_malformed(body: bytes) -> None:
    assert refused(Signal.LOGS, body, PROTOBUF)[0] == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"[" * 100_000,
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":'
        + b'{"arrayValue":{"values":[' * 1_000
        + b'{"stringValue":"x"}'
        + b"]}}" * 1_000
        + b"}]}]}]}",
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"doubleValue":NaN}}]}]}]}',
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"\\ud800"}}]}]}]}',
        b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"traceId":"zz"}]}]}]}',
        b'{"resourceLogs":"\xff"}',
        b'{"resourceLogs":7}',
    ],
)
def test_hostile_json_is_malformed(body: bytes) -> None:
    assert refused(Signal.LOGS, body, JSON)[0] == 400


def test_a_fault_in_json_is_named_by_its_path() -> None:
    body = sent.as_json(sent.logs(sent.log(traceId="xyz")))
    assert "$.resourceLogs[0].scopeLogs[0].logRecords[0].traceId" in refused(Signal.LOGS, body, JSON)[1]


@pytest.mark.parametrize("signal", list(Signal))
def test_an_empty_request_is_one_without_rows(signal: Signal) -> None:
    for body, media in ((b"", PROTOBUF), (b"{}", JSON)):
        assert COUNTS[signal](message_of(signal, body, media=media)) == 0


def test_unknown_fields_and_integers_as_texts_or_numbers_are_understood() -> None:
    request = sent.logs({**sent.log(), "timeUnixNano": 1, "unheardOf": {"a": [1]}}, sent.log(at_ns=2))
    assert COUNTS[Signal.LOGS](message_of(Signal.LOGS, sent.as_json(request), media=JSON)) == 2
