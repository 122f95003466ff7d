"""Random operations through our client and boto3, against a plain model of the world: the same results and errors."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from novaact_http import Client, ServiceError, models
from novaact_http.testing import LocalService
from tests.helpers.boto3_oracle import boto3_for
from tests.helpers.calls import options_for

NAMES = ("a", "b", "c")
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT")
INFO = models.ClientInfo(compatibility_version=1)


class Worlds(RuleBasedStateMachine):
    """A service, and what it should have: statuses of definitions, of their runs and of these runs' acts."""

    runs = Bundle("runs")
    sessions = Bundle("sessions")
    acts = Bundle("acts")

    @initialize()
    def begin(self) -> None:
        self.service = LocalService(definitions={}).start()
        self.client = Client(**options_for(self.service))
        self.boto3 = boto3_for(self.service)
        self.definitions: dict[str, dict[str, dict[str, Any]]] = {}
        self.ended: dict[tuple[str, str], str] = {}

    def teardown(self) -> None:
        self.client.close()
        self.boto3.close()
        self.service.close()

    def outcome(self, method: str, **arguments: Any) -> Any:
        """Return what our client returns, or the code of the error."""
        try:
            return getattr(self.client, method)(**arguments)
        except ServiceError as error:
            return error.code

    def by_boto3(self, method: str, **arguments: Any) -> Any:
        """Return what boto3 returns, or the code of the error."""
        try:
            return getattr(self.boto3, method)(**arguments)
        except ClientError as error:
            return error.response["Error"]["Code"]

    @rule(name=st.sampled_from(NAMES), ours=st.booleans())
    def create_definition(self, name: str, ours: bool) -> None:
        got = (
            self.outcome("create_workflow_definition", name=name)
            if ours
            else self.by_boto3("create_workflow_definition", name=name)
        )
        assert (got == "ConflictException") is (name in self.definitions)
        self.definitions.setdefault(name, {})

    @rule(name=st.sampled_from(NAMES))
    def delete_definition(self, name: str) -> None:
        got = self.outcome("delete_workflow_definition", workflow_definition_name=name)
        assert (got == "ResourceNotFoundException") is (name not in self.definitions)
        self.definitions.pop(name, None)
        self.service.advance(2)

    @rule(target=runs, name=st.sampled_from(NAMES))
    def create_run(self, name: str) -> Any:
        got = self.outcome("create_workflow_run", workflow_definition_name=name, model_id="m", client_info=INFO)
        if name not in self.definitions:
            assert got == "ResourceNotFoundException"
            return multiple()
        self.definitions[name][got.workflow_run_id] = {"status": "RUNNING", "sessions": {}}
        return name, got.workflow_run_id

    def run(self, of: tuple[str, str]) -> Any:
        return self.definitions.get(of[0], {}).get(of[1])

    @rule(of=runs, status=st.sampled_from(ENDS))
    def end_run(self, of: tuple[str, str], status: str) -> None:
        got = self.outcome("update_workflow_run", **named(of), status=status)
        run = self.run(of)
        if run is None:
            assert got == "ResourceNotFoundException"
        elif run["status"] in ("RUNNING", status):
            assert not isinstance(got, str)
            run["status"] = status
        else:
            assert got == "ValidationException"

    @rule(of=runs)
    def delete_run(self, of: tuple[str, str]) -> None:
        got = self.outcome("delete_workflow_run", **named(of))
        assert (got == "ResourceNotFoundException") is (self.run(of) is None)
        self.definitions.get(of[0], {}).pop(of[1], None)
        self.service.advance(2)

    @rule(target=sessions, of=runs)
    def create_session(self, of: tuple[str, str]) -> Any:
        got = self.outcome("create_session", **named(of))
        run = self.run(of)
        if run is None or run["status"] != "RUNNING":
            assert got == ("ResourceNotFoundException" if run is None else "ValidationException")
            return multiple()
        run["sessions"][got.session_id] = {}
        return (*of, got.session_id)

    @rule(target=acts, of=sessions)
    def create_act(self, of: tuple[str, str, str]) -> Any:
        got = self.outcome("create_act", **named(of), task="t")
        run = self.run(of[:2])
        if run is None or run["status"] != "RUNNING":
            assert got == ("ResourceNotFoundException" if run is None else "ValidationException")
            return multiple()
        run["sessions"][of[2]][got.act_id] = "RUNNING"
        return (*of, got.act_id)

    @rule(of=acts, status=st.sampled_from(ENDS))
    def end_act(self, of: tuple[str, str, str, str], status: str) -> None:
        got = self.outcome("update_act", **named(of), status=status)
        run = self.run(of[:2])
        if run is None:
            assert got == "ResourceNotFoundException"
            return
        known = run["sessions"][of[2]]
        assert (got == "ValidationException") is (known[of[3]] not in ("RUNNING", status))
        if not isinstance(got, str):
            known[of[3]] = status

    @invariant()
    def all_listings_are_those_of_the_model(self) -> None:
        listed = {each.workflow_definition_name for each in self.client.iter_workflow_definitions(page_size=1)}
        assert listed == set(self.definitions)
        for name, known in self.definitions.items():
            runs = {
                each.workflow_run_id: each.status
                for each in self.client.iter_workflow_runs(workflow_definition_name=name, sort_order="Descending")
            }
            assert runs == {run_id: run["status"] for run_id, run in known.items()}
            theirs = self.boto3.list_acts(workflowDefinitionName=name)["actSummaries"]
            acts = {
                act: status
                for run in known.values()
                for each in run["sessions"].values()
                for act, status in each.items()
            }
            assert {act["actId"]: act["status"] for act in theirs} == acts
            ours = self.client.iter_acts(workflow_definition_name=name, page_size=2)
            assert [each.act_id for each in ours] == [act["actId"] for act in theirs]
            for run_id, run in known.items():
                listed = {each.session_id for each in self.client.iter_sessions(**named((name, run_id)))}
                assert listed == set(run["sessions"])


def named(of: tuple[str, ...]) -> dict[str, Any]:
    names = ("workflow_definition_name", "workflow_run_id", "session_id", "act_id")
    return dict(zip(names, of, strict=False))


TestWorlds = Worlds.TestCase
TestWorlds.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
