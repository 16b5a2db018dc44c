"""Acts as requests to an origin."""

from typing import Any

import pytest

from chimney.core.acts import RULES, ActFaultError, Call, call_of, described, said
from chimney.wire.act import Act, ActRequest


@pytest.mark.parametrize(
    ("act", "asked", "path", "body"),
    [
        (
            Act.INVALIDATE,
            {"path": "pulls", "reason": "merged"},
            "/api/cache/invalidate",
            {"path": "pulls", "reason": "merged"},
        ),
        (Act.INVALIDATE, {"all": True}, "/api/cache/invalidate", {"all": True}),
        (Act.WARM, {"reason": "cold"}, "/api/cache/warm", {}),
        (
            Act.LOG_LEVEL,
            {"level": "debug", "for_seconds": 5.0},
            "/api/log-level",
            {"level": "debug", "for_seconds": 5.0},
        ),
        (Act.RERUN, {"run_id": 7}, "/api/pipeline/rerun", {"run_id": 7}),
        (Act.RERUN_FAILED, {"run_id": 7, "repo": "a/b"}, "/api/pipeline/rerun_failed", {"run_id": 7, "repo": "a/b"}),
        (Act.CANCEL, {"run_id": 7}, "/api/pipeline/cancel", {"run_id": 7}),
        (
            Act.APPROVE,
            {"run_id": 7, "environment": "production"},
            "/api/pipeline/approve",
            {"run_id": 7, "environment": "production"},
        ),
        (
            Act.DISPATCH,
            {"workflow": "deploy.yml", "inputs": {"slot": "blue"}},
            "/api/pipeline/dispatch",
            {"workflow": "deploy.yml", "inputs": {"slot": "blue"}},
        ),
        (Act.SWITCH, {"slot": "green", "reason": "new"}, "/api/edge/switch", {"slot": "green", "reason": "new"}),
        (
            Act.ROLLBACK,
            {"deployment": "d1", "reason": "slow"},
            "/api/deploy/rollback",
            {"deployment": "d1", "reason": "slow"},
        ),
    ],
)
def test_an_act_is_one_request_to_the_origin(act: Act, asked: dict[str, Any], path: str, body: dict[str, Any]) -> None:
    call = call_of(act, ActRequest(origin="hel1", **asked))
    assert call == Call(path, body, RULES[act].seconds)


@pytest.mark.parametrize(
    ("act", "asked", "path"),
    [
        (Act.SWITCH, {"slot": "green"}, "$.reason"),
        (Act.SWITCH, {"reason": "new"}, "$.slot"),
        (Act.SWITCH, {"slot": "green", "reason": ""}, "$.reason"),
        (Act.ROLLBACK, {"deployment": "d1"}, "$.reason"),
        (Act.RERUN, {}, "$.run_id"),
        (Act.RERUN, {"run_id": 7, "slot": "green"}, "$.slot"),
        (Act.WARM, {"path": "pulls"}, "$.path"),
        (Act.INVALIDATE, {}, "$"),
        (Act.INVALIDATE, {"path": "pulls", "all": True}, "$"),
        (Act.LOG_LEVEL, {}, "$.level"),
        (Act.CANCEL, {"run_id": 7, "reason": "x" * 501}, "$.reason"),
    ],
)
def test_what_cannot_be_an_act_says_where(act: Act, asked: dict[str, Any], path: str) -> None:
    with pytest.raises(ActFaultError) as refused:
        call_of(act, ActRequest(**asked))
    assert refused.value.path == path


@pytest.mark.parametrize(
    ("act", "asked", "words"),
    [
        (Act.SWITCH, {"slot": "green"}, "switch to green"),
        (Act.INVALIDATE, {"all": True}, "invalidate everything"),
        (Act.INVALIDATE, {"path": "pulls"}, "invalidate pulls"),
        (Act.LOG_LEVEL, {"level": "debug", "for_seconds": 300.0}, "log level debug for 300 s"),
        (Act.RERUN_FAILED, {"run_id": 7}, "rerun failed run 7"),
        (Act.DISPATCH, {"workflow": "deploy.yml"}, "dispatch deploy.yml on the default branch"),
    ],
)
def test_an_act_is_said_in_words(act: Act, asked: dict[str, Any], words: str) -> None:
    assert said(act, ActRequest(**asked)) == words


def test_every_act_is_described() -> None:
    assert [one.act for one in described()] == list(Act)
    assert {one.act for one in described() if one.hurts} == {
        Act.CANCEL,
        Act.APPROVE,
        Act.DISPATCH,
        Act.SWITCH,
        Act.ROLLBACK,
    }
