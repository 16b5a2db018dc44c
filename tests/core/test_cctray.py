import xml.etree.ElementTree as ET  # of our own making
from datetime import datetime

import msgspec
import pytest
from tests.core.origins import ago, deployment, run

from chimney.core.cctray import of_deployments, of_runs, xml
from chimney.wire.deployment import Phase
from chimney.wire.origin import PlacedDeployment, PlacedRun


def placed(number: int, **more: object) -> PlacedRun:
    """A higher number is newer."""
    at = ago(minutes=100 - number)
    fields = msgspec.structs.asdict(run(id=number, started_at=at))
    usual = {"origin": "hel1", "repo": "acme/rocket", "updated_at": at, **fields}
    return PlacedRun(**{**usual, **more})


def told(number: int, **more: object) -> PlacedDeployment:
    fields = msgspec.structs.asdict(deployment(id=f"d{number}", started_at=ago(minutes=100 - number)))
    return PlacedDeployment(**{"origin": "hel1", **fields, **more})


BRANCHES = {"acme/rocket": "main"}


@pytest.mark.parametrize(
    ("conclusions", "building", "status"),
    [
        (["success"], False, "Success"),
        (["success", "failure"], False, "Failure"),
        (["failure", "success"], False, "Success"),
        (["failure", None], True, "Failure"),
        (["success", None], True, "Success"),
        (["failure", "cancelled"], False, "Failure"),
        ([None], True, "Unknown"),
        (["cancelled"], False, "Unknown"),
        (["timed_out"], False, "Failure"),
        (["from-the-future"], False, "Unknown"),
    ],
)
def test_a_workflow_is_as_its_last_verdict(conclusions: list[str | None], building: bool, status: str) -> None:
    runs = [
        placed(number, conclusion=one, status="completed" if one else "in_progress")
        for number, one in enumerate(conclusions)
    ]
    (project,) = of_runs(runs, BRANCHES)
    assert (project.name, project.building, project.status) == ("acme/rocket :: CI :: main", building, status)


def test_other_branches_and_repositories_whose_branch_is_not_known_do_not_count() -> None:
    assert of_runs([placed(1, branch="fix"), placed(2, repo="acme/other"), placed(3, branch=None)], BRANCHES) == []


def test_each_environment_of_an_origin_is_a_project() -> None:
    deployments = [
        told(3, phase=Phase.STARTED, ended_at=None),
        told(2, phase=Phase.FAILED),
        told(1, environment="staging"),
    ]
    shown = [(one.name, one.building, one.status) for one in of_deployments(deployments)]
    assert shown == [
        ("hel1 :: deploy :: production", True, "Failure"),
        ("hel1 :: deploy :: staging", False, "Success"),
    ]


def test_the_document_is_what_readers_expect() -> None:
    root = ET.fromstring(xml(of_runs([placed(1)], BRANCHES)))
    (project,) = root
    assert root.tag == "Projects"
    assert project.attrib.keys() == {
        "name", "activity", "lastBuildStatus", "lastBuildLabel", "lastBuildTime", "webUrl",
    }  # fmt: skip
    assert project.attrib["activity"] == "Sleeping"
    assert datetime.fromisoformat(project.attrib["lastBuildTime"]).tzinfo


@pytest.mark.parametrize("hostile", ['"/><x a="', "</Projects>", "\ud800\x00\x1b\n\t", "￾￿", "x" * 9999])
def test_hostile_names_are_text(hostile: str) -> None:
    root = ET.fromstring(xml(of_runs([placed(1, workflow=hostile)], BRANCHES)))
    assert [one.tag for one in root] == ["Project"]
    assert len(root[0].attrib["name"]) < 600
