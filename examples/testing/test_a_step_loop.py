"""How to test code that drives acts, here drive_act.py: the test says what the service asks for in each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import drive_act
from novaact_http import TransportError

if TYPE_CHECKING:
    from novaact_http import Client
    from novaact_http.testing import LocalService

CLICK = {"name": "agentClick", "input": ["<box>10,20,30,40</box>"]}
OBSERVE: dict[str, Any] = {"name": "takeObservation", "input": {}}
RETURN = {"name": "return", "input": ["bought"]}


class FakeBrowser(drive_act.Browser):
    """A browser in which a click may fail."""

    def __init__(self, *, broken: bool = False) -> None:
        self.done: list[str] = []
        self._broken = broken

    def do(self, name: str, arguments: Any) -> Any:
        """Note the call, and do it."""
        self.done.append(name)
        if self._broken and name == "agentClick":
            raise TimeoutError("nothing to click on")
        return super().do(name, arguments)


@pytest.fixture
def run(novaact_service: LocalService) -> drive_act.Run:
    added = novaact_service.add_run("checkout-flow")
    return {
        "workflow_definition_name": added.workflow_definition_name,
        "workflow_run_id": added.workflow_run_id,
    }


def sent(service: LocalService) -> list[list[str]]:
    """Return the texts that the driver sent in each step."""
    return [
        [result["content"][0]["text"] for result in call.arguments["call_results"]]
        for call in service.calls
        if call.operation == "InvokeActStep"
    ]


def statuses(client: Client, run: drive_act.Run) -> list[str]:
    return [act.status for act in client.iter_acts(**run)]


def test_calls_are_done_in_order_and_a_screenshot_is_sent(
    run: drive_act.Run, novaact_service: LocalService, novaact_client: Client
) -> None:
    novaact_service.script_acts([[CLICK, OBSERVE], [RETURN]])
    browser = FakeBrowser()
    drive_act.drive(novaact_client, run, "Buy a bicycle.", browser)
    assert browser.done == ["takeObservation", "agentClick", "takeObservation"]
    assert all("screenshotBase64" in texts[-1] for texts in sent(novaact_service))
    assert statuses(novaact_client, run) == ["SUCCEEDED"]


def test_the_model_learns_that_a_call_failed(
    run: drive_act.Run, novaact_service: LocalService, novaact_client: Client
) -> None:
    # A function of the results is a model that reacts to them.
    novaact_service.script_acts(lambda results: None if "TimeoutError" in results[0]["content"][0]["text"] else [CLICK])
    drive_act.drive(novaact_client, run, "Buy a bicycle.", FakeBrowser(broken=True))
    assert statuses(novaact_client, run) == ["SUCCEEDED"]


def test_an_act_that_the_model_gives_up_has_failed(
    run: drive_act.Run, novaact_service: LocalService, novaact_client: Client
) -> None:
    novaact_service.script_acts([[{"name": "throw", "input": ["sold out"]}]])
    with pytest.raises(drive_act.ActFailedError, match="sold out"):
        drive_act.drive(novaact_client, run, "Buy a bicycle.", FakeBrowser())
    assert statuses(novaact_client, run) == ["FAILED"]


def test_a_throttled_step_is_sent_again(
    run: drive_act.Run, novaact_service: LocalService, novaact_client: Client
) -> None:
    novaact_service.script_acts([[CLICK]])
    novaact_service.inject("ThrottlingException", operation="InvokeActStep", times=2)
    browser = FakeBrowser()
    drive_act.drive(novaact_client, run, "Buy a bicycle.", browser)
    assert browser.done.count("agentClick") == 1


def test_a_lost_step_is_not_sent_again_and_the_act_has_failed(
    run: drive_act.Run, novaact_service: LocalService, novaact_client: Client
) -> None:
    novaact_service.script_acts([[CLICK], [RETURN]])
    novaact_service.inject("reset", operation="InvokeActStep", times=1, after_work=True)
    with pytest.raises(TransportError) as lost:
        drive_act.drive(novaact_client, run, "Buy a bicycle.", FakeBrowser())
    assert lost.value.request_sent
    assert len(sent(novaact_service)) == 1
    assert statuses(novaact_client, run) == ["FAILED"]


def test_an_act_has_succeeded_also_if_the_answer_to_its_last_step_is_lost(
    run: drive_act.Run, novaact_service: LocalService, novaact_client: Client
) -> None:
    novaact_service.script_acts(["SUCCEEDED"])
    novaact_service.inject("truncate", operation="InvokeActStep", times=1)
    drive_act.drive(novaact_client, run, "Buy a bicycle.", FakeBrowser())
    assert len(sent(novaact_service)) == 1
