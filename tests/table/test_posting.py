"""Findings as alerts of a real Alertmanager."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from tests.fakes.prometheus import Alertmanager, get
from tests.fakes.waiting import eventually
from tests.table.conftest import Make

from chimney.config import TableSettings
from chimney.table.elsewhere import sources

SOON = 60.0


@pytest.fixture(name="alertmanager", scope="module")
def _alertmanager(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alertmanager]:
    alertmanager = Alertmanager(tmp_path_factory.mktemp("alertmanager"))
    yield alertmanager
    alertmanager.close()


def held(alertmanager: Alertmanager) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(get(f"{alertmanager.url}/api/v2/alerts"))
    return found


async def test_a_finding_is_an_alert_there_until_it_is_over_and_does_not_come_back_as_one_of_ours(
    make_table: Make, alertmanager: Alertmanager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "EVERY_SECONDS", 0.2)
    running = await make_table(
        alertmanager_url=alertmanager.url, alertmanager_send=True, public_url="https://t.example"
    )
    client = await running.signed_in()
    await eventually(lambda: held(alertmanager), within=SOON)
    (alert,) = held(alertmanager)
    (finding,) = (await client.get("/api/findings")).json()["items"]
    assert alert["labels"] == {
        "alertname": "no_data",
        "severity": finding["severity"],
        "component": "table",
        "finding": finding["id"],
        "source": "chimney",
    }
    assert (alert["annotations"]["summary"], alert["generatorURL"]) == (finding["title"], "https://t.example/")
    asked = running.table.telemetry.elsewhere
    await eventually(lambda: all(one.asked for one in asked.facts()), within=SOON)
    assert asked.alerts == []
    state = (await client.get("/api/notifications")).json()["alertmanager"]
    assert (state["failures"], state["last_error"]) == (0, None)
    await client.post(f"/api/findings/{finding['id']}/silence", json={"for_seconds": 600})
    await eventually(lambda: not held(alertmanager), within=SOON)


async def test_an_alertmanager_that_is_away_is_told_of(make_table: Make) -> None:
    running = await make_table(alertmanager_url="http://127.0.0.1:1", alertmanager_send=True)
    posting = running.table.telling.posting
    assert posting
    await eventually(lambda: posting.outgoing.failures, within=SOON)
    assert posting.outgoing.state().last_error


def test_sending_needs_an_address() -> None:
    with pytest.raises(ValueError, match="give alertmanager_url too"):
        TableSettings(alertmanager_send=True)
