"""The methods of `LocalService` by which tests look at its world, add to it and script it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from novaact_http.testing._argument_checks import check, check_number
from novaact_http.testing._local_service import nova_act, scripts, service_model

if TYPE_CHECKING:
    from collections.abc import Iterable

    from novaact_http.testing._local_service.nova_act import NovaAct, WorkflowRun
    from novaact_http.testing._local_service.scripts import Script


class WorldMethods:
    """The methods, for a service that has a `NovaAct`.

    Attributes:
        advanced: how many seconds the world is ahead of the clock.
    """

    advanced = 0.0

    def __init__(self, of: NovaAct) -> None:
        self._nova_act = of
        self._lock = threading.RLock()

    @property
    def runs(self) -> tuple[WorkflowRun, ...]:
        """All workflow runs. Of the default runs, the first has more than ten sessions, others have one or none."""
        return self._nova_act.runs

    def add_definition(
        self,
        name: str,
        *,
        description: str | None = None,
        export_config: Mapping[str, str] | None = None,
        created_at: float | None = None,
        status: str = "ACTIVE",
    ) -> None:
        """Add a workflow definition, unless there is one of this name.

        Args:
            name: the name.
            description: what it does.
            export_config: where traces go, such as `{"s3BucketName": "traces"}`. Ended runs then have a trace.
            created_at: when it was created, in seconds since the epoch; now by default.
            status: its status, such as `"DELETING"`.

        Raises:
            ValueError: the service model does not allow the name, the description, the export configuration or the
                status, or the time is no number.
        """
        check_number("created_at", created_at, minimum=0, optional=True)
        is_mapping = isinstance(export_config, Mapping)
        check("export_config", export_config, "a mapping or None", valid=is_mapping or export_config is None)
        _check_status("WorkflowDefinitionStatus", status)
        config = None if export_config is None else dict(export_config)
        with self._lock:
            self._nova_act.add_definition(name, description, config, created_at, status)

    def add_run(
        self,
        workflow_definition_name: str,
        *,
        sessions: int | Iterable[str] = 0,
        workflow_run_id: str | None = None,
        replace: bool = False,
        status: str = "RUNNING",
        started_at: float | None = None,
        ended_at: float | None = None,
    ) -> WorkflowRun:
        """Add a workflow run, and its definition if that does not exist. Return the run.

        Args:
            workflow_definition_name: the name of an existing or a new definition.
            sessions: the number of sessions, or a list of their ids from the oldest to the newest.
            workflow_run_id: a UUID; a random one by default.
            replace: whether to replace an existing run of that name and id.
            status: its status, such as `"FAILED"`.
            started_at: when it started, in seconds since the epoch; now by default.
            ended_at: when it ended, if its status is not RUNNING; now by default.

        Raises:
            ValueError: the service model does not allow the name, the id or the status, `sessions` is neither a number
                from 0 nor a list of ids, a time is no number, or the run exists already.
        """
        check_number("started_at", started_at, minimum=0, optional=True)
        check_number("ended_at", ended_at, minimum=0, optional=True)
        _check_status("WorkflowRunStatus", status)
        with self._lock:
            run = self._nova_act.add_run(
                workflow_definition_name, sessions, workflow_run_id, replace=replace, started_at=started_at
            )
            if status != "RUNNING":
                run.end(status, self._nova_act.world.now() if ended_at is None else ended_at)
            return nova_act.view(run)

    def add_session(self, run: WorkflowRun) -> str:
        """Add a session to a run, newer than all others in it. Return its id.

        Args:
            run: a run of this service.

        Raises:
            KeyError: the service does not have this run.
        """
        return self.add_sessions(run, 1).session_ids[-1]

    def add_act(
        self,
        run: WorkflowRun,
        session_id: str,
        *,
        task: str = "Do something.",
        status: str = "RUNNING",
        started_at: float | None = None,
        ended_at: float | None = None,
    ) -> str:
        """Add an act to a session. Return its id.

        Args:
            run: a run of this service.
            session_id: the id of a session of the run.
            task: what the act is to do.
            status: its status, such as `"FAILED"`.
            started_at: when it started, in seconds since the epoch; now by default.
            ended_at: when it ended, if its status is one of an ended act; now by default.

        Raises:
            KeyError: the service does not have this run, or the run does not have this session.
            ValueError: the service model does not have the status, or a time is no number.
        """
        check_number("started_at", started_at, minimum=0, optional=True)
        check_number("ended_at", ended_at, minimum=0, optional=True)
        _check_status("ActStatus", status)
        with self._lock:
            return self._nova_act.add_act(run, session_id, task, status, started_at, ended_at)

    def end_run(self, run: WorkflowRun, status: str = "SUCCEEDED") -> None:
        """End a run now.

        Args:
            run: a run of this service.
            status: the status that it gets.

        Raises:
            KeyError: the service does not have this run.
            ValueError: the service model does not have the status.
        """
        _check_status("WorkflowRunStatus", status)
        with self._lock:
            self._nova_act.run_of(run).end(status, self._nova_act.world.now())

    def script_runs(self, status: str = "SUCCEEDED", *, polls: int | None = None, seconds: float | None = None) -> None:
        """Have the runs that are created from now on end by themselves. By default they run until they are ended.

        Args:
            status: the status that they get.
            polls: how many times GetWorkflowRun must have been called for it; that call is the first that sees the end.
            seconds: how many seconds after its start a run ends. If both are given, what comes first counts; if
                neither, runs do not end by themselves any more.

        Raises:
            ValueError: the service model does not have the status, or a number is not valid.
        """
        _check_status("WorkflowRunStatus", status)
        check_number("polls", polls, minimum=1, whole=True, optional=True)
        check_number("seconds", seconds, minimum=0, optional=True)
        with self._lock:
            self._nova_act.run_ending = None if polls is None and seconds is None else (status, polls, seconds)

    def script_acts(self, script: Script | None) -> None:
        """Say what the steps of the acts that are created from now on answer.

        Args:
            script: a list with one item for each step; or a function that takes the call results of a step, as a list
                of dicts, and returns such an item. An item is a list of calls for the client to make, such as
                `[{"name": "click", "input": {"x": 1}}]`; or a status that the act gets, such as `"FAILED"`, or
                `"PENDING_HUMAN_ACTION"`, in which it takes no step until `update_act` makes it run again; or None, with
                which it has SUCCEEDED. So it has after the end of the list. None for the script that acts have by
                default: two steps with a call of the first of the act's tools.

        Raises:
            ValueError: it is no script.
        """
        if script is not None:
            scripts.check(script)
        with self._lock:
            self._nova_act.act_script = script

    def advance(self, seconds: float) -> None:
        """Let time pass for runs, acts and what was deleted. Signatures are still checked by the clock.

        Args:
            seconds: how many; negative ones go back.

        Raises:
            ValueError: it is no number.
        """
        check_number("seconds", seconds)
        with self._lock:
            self.advanced += seconds

    def add_sessions(self, run: WorkflowRun, sessions: int | Iterable[str]) -> WorkflowRun:
        """Add sessions to a run, newer than all others in it. Return the run with the new sessions.

        Args:
            run: a run of this service.
            sessions: the number of sessions, or a list of their ids from the oldest to the newest.

        Raises:
            KeyError: the service does not have this run.
            ValueError: `sessions` is neither a number from 0 nor a list of ids.
        """
        with self._lock:
            return self._nova_act.add_sessions(run, sessions)


def _check_status(shape: str, status: str) -> None:
    allowed = service_model.model().shape_for(shape).enum
    check("status", status, f"one of {', '.join(allowed)}", valid=status in allowed)
