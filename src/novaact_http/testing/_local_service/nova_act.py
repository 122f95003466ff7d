"""What Nova Act does: a small function for each operation, over one world. Without HTTP and without signatures.

Routes, limits and errors come from the service model in botocore. See `service_model`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import attrs

from novaact_http._needed_packages import needed
from novaact_http.testing._argument_checks import check, session_ids
from novaact_http.testing._local_service import scripts, service_model
from novaact_http.testing._local_service.http_messages import Answer, error
from novaact_http.testing._local_service.service_model import invalid, modelled_error
from novaact_http.testing._local_service.world import ACCOUNT, ENDED, World

with needed("botocore", by="the local service"):
    from botocore import xform_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing._local_service.http_messages import ReceivedRequest
    from novaact_http.testing._local_service.service_model import Route
    from novaact_http.testing._local_service.world import Act, Definition, Run, Session, Things

_PAGE_SIZE = 100  # without maxResults
_RUNS = [34, ["id-1", "id-2"]]
DEFAULT_MODEL = "nova-act-v1.0"
# Each with its status and the least compatibility version of clients.
_MODELS = (("nova-act-v1.0", "ACTIVE", 1), ("nova-act-v0.9", "LEGACY", 1), ("nova-act-v2.0-preview", "PREVIEW", 2))
_ALIASES = (("nova-act-latest", DEFAULT_MODEL),)


@attrs.frozen(kw_only=True)
class WorkflowRun:
    """A workflow run of the local service, with its sessions from the oldest to the newest."""

    workflow_definition_name: str
    workflow_run_id: str
    session_ids: tuple[str, ...] = attrs.field(repr=lambda ids: f"<{len(ids)} sessions>")


class Refusal(Exception):  # noqa: N818 - it is an answer
    """Ends the handling of a request with this answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


def _refuse(code: str, message: str, **members: object) -> NoReturn:
    raise Refusal(modelled_error(code, message, **members))


def _refuse_missing(kind: str, key: str) -> NoReturn:
    message = f"{kind} {key} was not found."
    _refuse("ResourceNotFoundException", message, resource_id=key, resource_type=kind)


def _refuse_status(kind: str, key: str, status: str) -> NoReturn:
    _refuse("ValidationException", f"{kind} {key} is {status}.", reason="InvalidStatus")


def _check(operation: str, **members: object) -> None:
    """Raise a ValueError unless an operation's input can have these members, of which None is left out."""
    shapes = service_model.model().operation_model(operation).input_shape.members
    for name, value in members.items():
        found = None if value is None else service_model.problem(shapes[name], value)
        if found is not None:
            raise ValueError(f"{value!r} cannot be a {name}: {found}")


class NovaAct:
    """All that the service has, and the operations on it."""

    def __init__(
        self,
        seed: int,
        definitions: Mapping[str, Sequence[int | Iterable[str]]],
        now: Callable[[], float],
        region: str,
    ) -> None:
        # Three generators, so that the ids of what a test adds do not depend on the requests before.
        self._random = random.Random(seed)  # noqa: S311 - not secret, and the same for the same seed
        self._random_of_requests = random.Random(f"requests {seed}")  # noqa: S311
        self._random_of_things = random.Random(f"things {seed}")  # noqa: S311
        self._token_key = self._random.randbytes(32)
        self._done: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
        self._region = region
        self.world = World(now)
        self.act_script: scripts.Script | None = None
        self.run_ending: tuple[str, int | None, float | None] | None = None
        check("definitions", definitions, f"a mapping such as {{'a': {_RUNS}}}", valid=isinstance(definitions, Mapping))
        for name, runs in definitions.items():
            check(f"definitions[{name!r}]", runs, f"a list of runs such as {_RUNS}", valid=isinstance(runs, Iterable))
            self.add_definition(name)
            for sessions in runs:
                self.add_run(name, sessions, argument=f"a run of definitions[{name!r}]")

    # What tests add and look at.

    @property
    def runs(self) -> tuple[WorkflowRun, ...]:
        """All runs, by their definitions."""
        return tuple(view(run) for definition in self.world.definitions for run in definition.runs)

    def add_definition(
        self,
        name: str,
        description: str | None = None,
        export_config: dict[str, str] | None = None,
        created_at: float | None = None,
        status: str = "ACTIVE",
    ) -> None:
        _check("CreateWorkflowDefinition", name=name, description=description, exportConfig=export_config)
        if self.world.definitions.get(name) is None:
            self.world.add_definition(name, description, export_config, created_at).status = status

    def add_run(
        self,
        workflow_definition_name: str,
        sessions: int | Iterable[str],
        workflow_run_id: str | None = None,
        *,
        replace: bool = False,
        argument: str = "sessions",
        model_id: str = DEFAULT_MODEL,
        started_at: float | None = None,
    ) -> Run:
        run_id = self._new_id() if workflow_run_id is None else workflow_run_id
        _check("GetWorkflowRun", workflowDefinitionName=workflow_definition_name, workflowRunId=run_id)
        definition = self.world.definitions.get(workflow_definition_name)
        old = None if definition is None else definition.runs.get(run_id)
        if old is not None and not replace:
            raise ValueError(
                f"{workflow_definition_name} already has a run {run_id}: add_sessions() adds to it, "
                "replace=True replaces it"
            )
        ids = session_ids(argument, sessions, self._new_id)
        if definition is None:
            definition = self.world.add_definition(workflow_definition_name)
        if old is None:
            run = self.world.add_run(definition, run_id, model_id, started_at=started_at)
        else:
            run = self.world.begin_anew(old)
        self._add_sessions(run, ids)
        return run

    def add_sessions(self, of: WorkflowRun, sessions: int | Iterable[str]) -> WorkflowRun:
        run = self.run_of(of)
        self._add_sessions(run, session_ids("sessions", sessions, self._new_id))
        return view(run)

    def _add_sessions(self, run: Run, ids: Iterable[str]) -> None:
        for each in ids:
            if run.sessions.get(each) is not None:
                raise ValueError(f"the run {run.id} already has a session {each}")
            self.world.add_session(run, each)

    def add_act(  # noqa: PLR0917 - as `LocalService.add_act` passes them
        self,
        of: WorkflowRun,
        session_id: str,
        task: str,
        status: str,
        started_at: float | None,
        ended_at: float | None,
    ) -> str:
        session = self.run_of(of).sessions.get(session_id)
        if session is None:
            raise KeyError(f"the run {of.workflow_run_id} has no session {session_id}: add_session() adds one")
        _check("CreateAct", task=task)
        act = self.world.add_act(session, self._new_id(), task, [], started_at)
        act.script = self.act_script
        if status in ENDED:
            act.end(status, self.world.now() if ended_at is None else ended_at)
        else:
            act.status = status
        return act.id

    def run_of(self, view: WorkflowRun) -> Run:
        """Return the run that a view is of.

        Raises:
            KeyError: the service does not have it.
        """
        definition = self.world.definitions.get(view.workflow_definition_name)
        run = None if definition is None else definition.runs.get(view.workflow_run_id)
        if run is None:
            raise KeyError(f"{view.workflow_definition_name} has no run {view.workflow_run_id}: add_run() adds it")
        return run

    def _new_id(self) -> str:
        return _uuid(self._random)

    def new_request_id(self) -> str:
        return _uuid(self._random_of_requests)

    # Requests.

    def answer(self, route: Route | None, request: ReceivedRequest) -> Answer:
        """Answer a request whose signature is valid, and which is for this operation."""
        path, _, query = request.target.partition("?")
        if route is None:
            message = f"There is no operation {request.method} {path}."
            return error(404, "UnknownOperationException", {"message": message})
        try:
            values = service_model.bind(route, query, request.body)
        except (ValueError, RecursionError):
            return error(400, "SerializationException", {"message": "The request cannot be deserialized."})
        operation = route.operation
        found = service_model.problems(operation, values)
        if found:
            return invalid(found)
        self.world.tidy()
        try:
            members = self._do(operation.name, service_model.with_integers(operation, values))
        except Refusal as refusal:
            return refusal.answer
        return service_model.output(operation, members)

    def _do(self, operation: str, values: dict[str, Any]) -> dict[str, Any]:
        """Carry out an operation; once for each token."""
        token = values.pop("clientToken", None)
        handle = getattr(self, f"_{xform_name(operation)}")
        if token is None:
            return handle(values)  # type: ignore[no-any-return]
        done = self._done.get((operation, token))
        if done is None:
            members = handle(values)
            self._done[operation, token] = (values, members)
            return members  # type: ignore[no-any-return]
        if done[0] != values:
            _refuse("ConflictException", "The client token was used with other arguments.", resource_id=token)
        return done[1]

    # Workflow definitions.

    def _create_workflow_definition(self, values: dict[str, Any]) -> dict[str, Any]:
        name = values["name"]
        if self.world.definitions.get(name) is not None:
            message = f"WorkflowDefinition {name} exists already."
            _refuse("ConflictException", message, resource_id=name, resource_type="WorkflowDefinition")
        self.world.add_definition(name, values.get("description"), values.get("exportConfig"))
        return {"status": "ACTIVE"}

    def _get_workflow_definition(self, values: dict[str, Any]) -> dict[str, Any]:
        definition = self._definition(values)
        return {
            "name": definition.id,
            "arn": self._arn(definition),
            "createdAt": definition.created_at,
            "description": definition.description,
            "exportConfig": definition.export_config,
            "status": definition.status,
        }

    def _delete_workflow_definition(self, values: dict[str, Any]) -> dict[str, Any]:
        definition = self._definition(values)
        if definition.status != "DELETING":
            self.world.delete_definition(definition)
        return {"status": "DELETING"}

    def _list_workflow_definitions(self, values: dict[str, Any]) -> dict[str, Any]:
        def summary(definition: Definition) -> dict[str, Any]:
            return {
                "workflowDefinitionArn": self._arn(definition),
                "workflowDefinitionName": definition.id,
                "createdAt": definition.created_at,
                "status": definition.status,
            }

        return self._page(values, self.world.definitions, "workflowDefinitionSummaries", summary)

    # Workflow runs.

    def _create_workflow_run(self, values: dict[str, Any]) -> dict[str, Any]:
        definition = self._definition(values)
        if definition.status != "ACTIVE":
            _refuse_status("WorkflowDefinition", definition.id, definition.status)
        run_id = _uuid(self._random_of_things)
        run = self.world.add_run(definition, run_id, values["modelId"], values.get("logGroupName"))
        if self.run_ending is not None:
            status, polls, seconds = self.run_ending
            run.ending = (status, polls, None if seconds is None else self.world.now() + seconds)
        return {"workflowRunId": run.id, "status": run.status}

    def _get_workflow_run(self, values: dict[str, Any]) -> dict[str, Any]:
        run = self._run(values).settle(self.world.now(), asked=True)
        return {
            "workflowRunArn": self._arn(run.definition, run),
            "workflowRunId": run.id,
            "status": run.status,
            "startedAt": run.started_at,
            "endedAt": run.ended_at,
            "modelId": run.model_id,
            "logGroupName": run.log_group_name,
        }

    def _update_workflow_run(self, values: dict[str, Any]) -> dict[str, Any]:
        run, status = self._run(values), values["status"]
        if run.status == status:
            return {}
        if run.status != "RUNNING" or status not in ENDED:
            _refuse_status("WorkflowRun", run.id, run.status)
        run.end(status, self.world.now())
        return {}

    def _delete_workflow_run(self, values: dict[str, Any]) -> dict[str, Any]:
        run = self._run(values)
        if run.status != "DELETING":
            self.world.delete_run(run)
        return {"status": "DELETING"}

    def _list_workflow_runs(self, values: dict[str, Any]) -> dict[str, Any]:
        now = self.world.now()

        def summary(run: Run) -> dict[str, Any]:
            run.settle(now)
            return {
                "workflowRunArn": self._arn(run.definition, run),
                "workflowRunId": run.id,
                "status": run.status,
                "startedAt": run.started_at,
                "endedAt": run.ended_at,
                "traceLocation": _trace(run),
            }

        return self._page(values, self._definition(values).runs, "workflowRunSummaries", summary)

    # Sessions.

    def _create_session(self, values: dict[str, Any]) -> dict[str, Any]:
        return {"sessionId": self.world.add_session(self._running(values), _uuid(self._random_of_things)).id}

    def _list_sessions(self, values: dict[str, Any]) -> dict[str, Any]:
        sessions = self._run(values).sessions
        return self._page(values, sessions, "sessionSummaries", lambda session: {"sessionId": session.id})

    # Acts.

    def _create_act(self, values: dict[str, Any]) -> dict[str, Any]:
        self._running(values)
        session = self._session(values)
        act = self.world.add_act(session, _uuid(self._random_of_things), values["task"], values.get("toolSpecs", []))
        act.script = self.act_script
        return {"actId": act.id, "status": act.status}

    def _update_act(self, values: dict[str, Any]) -> dict[str, Any]:
        act, status = self._act(values), values["status"]
        if act.status in ENDED and act.status != status:
            _refuse_status("Act", act.id, act.status)
        act.error = values.get("error", act.error)
        if status in ENDED and act.ended_at is None:
            act.end(status, self.world.now())
        else:
            act.status = status
        return {}

    def _list_acts(self, values: dict[str, Any]) -> dict[str, Any]:
        acts: Things[Act] = self._definition(values).acts
        if "workflowRunId" in values:
            acts = self._run(values).acts
            if "sessionId" in values:
                acts = self._session(values).acts
        elif "sessionId" in values:
            message = "A session is of a run: workflowRunId is required with it."
            raise Refusal(invalid([("workflowRunId", message)]))
        now = self.world.now()

        def summary(act: Act) -> dict[str, Any]:
            act.settle(now)
            return {
                "workflowRunId": act.session.run.id,
                "sessionId": act.session.id,
                "actId": act.id,
                "status": act.status,
                "startedAt": act.started_at,
                "endedAt": act.ended_at,
                "traceLocation": _trace(act.session.run, act),
            }

        return self._page(values, acts, "actSummaries", summary)

    def _invoke_act_step(self, values: dict[str, Any]) -> dict[str, Any]:
        self._running(values)
        act = self._act(values)
        if act.status not in ("RUNNING", "PENDING_CLIENT_ACTION"):
            _refuse_status("Act", act.id, act.status)
        last = act.steps[-1] if act.steps else None
        if values.get("previousStepId") != last:
            message = "This is the first step." if last is None else f"The previous step is {last}."
            raise Refusal(invalid([("previousStepId", message)]))
        calls, status = scripts.next_step(act, values["callResults"])
        act.steps.append(_uuid(self._random_of_things))
        if scripts.has_ended(status):
            act.end(status, self.world.now())
        else:
            act.status = status
        return {"calls": calls, "stepId": act.steps[-1]}

    # Models.

    def _list_models(self, values: dict[str, Any]) -> dict[str, Any]:
        version = values["clientCompatibilityVersion"]
        supported = [name for name, _, least in _MODELS if least <= version]
        return {
            "modelSummaries": [
                {"modelId": name, "modelLifecycle": {"status": status}, "minimumCompatibilityVersion": least}
                for name, status, least in _MODELS
            ],
            "modelAliases": [
                {"aliasName": alias, "latestModelId": name, "resolvedModelId": name} for alias, name in _ALIASES
            ],
            "compatibilityInformation": {
                "clientCompatibilityVersion": version,
                "supportedModelIds": supported,
                "message": None if len(supported) == len(_MODELS) else "A newer client supports more models.",
            },
        }

    # What requests name.

    def _definition(self, values: dict[str, Any]) -> Definition:
        name = values["workflowDefinitionName"]
        definition = self.world.definitions.get(name)
        return _refuse_missing("WorkflowDefinition", name) if definition is None else definition

    def _run(self, values: dict[str, Any]) -> Run:
        run = self._definition(values).runs.get(values["workflowRunId"])
        if run is None:
            _refuse_missing("WorkflowRun", values["workflowRunId"])
        return run.settle(self.world.now())

    def _running(self, values: dict[str, Any]) -> Run:
        run = self._run(values)
        if run.status != "RUNNING":
            _refuse_status("WorkflowRun", run.id, run.status)
        return run

    def _session(self, values: dict[str, Any]) -> Session:
        session = self._run(values).sessions.get(values["sessionId"])
        return _refuse_missing("Session", values["sessionId"]) if session is None else session

    def _act(self, values: dict[str, Any]) -> Act:
        act = self._session(values).acts.get(values["actId"])
        return _refuse_missing("Act", values["actId"]) if act is None else act.settle(self.world.now())

    def _arn(self, definition: Definition, run: Run | None = None) -> str:
        arn = f"arn:aws:nova-act:{self._region}:{ACCOUNT}:workflow-definition/{definition.id}"
        return arn if run is None else f"{arn}/workflow-run/{run.id}"

    # Pages.

    def _page(
        self, values: dict[str, Any], things: Things[Any], name: str, summary: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        is_ascending = values.get("sortOrder", _ASCENDING) == _ASCENDING
        after = None
        if "nextToken" in values:
            after = self._after(values, name)
            if after is None:
                raise Refusal(invalid([("nextToken", "The token does not belong to this listing.")]))
        chosen, last = things.page(values.get("maxResults", _PAGE_SIZE), after, ascending=is_ascending)
        return {name: [summary(each) for each in chosen], "nextToken": last and self._token(last, values, name)}

    def _token(self, after: int, values: dict[str, Any], name: str) -> str:
        listing = json.dumps([name, values.get("sortOrder", _ASCENDING), *(values.get(each) for each in _OF_LISTINGS)])
        mac = hmac.digest(self._token_key, f"{after} {listing}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(after.to_bytes(8, "big") + mac).decode()

    def _after(self, values: dict[str, Any], name: str) -> int | None:
        token = values["nextToken"]
        try:
            after = int.from_bytes(base64.urlsafe_b64decode(token)[:8], "big")
        except ValueError:
            return None
        return after if hmac.compare_digest(token.encode(), self._token(after, values, name).encode()) else None


_ASCENDING = "Ascending"
_OF_LISTINGS = ("workflowDefinitionName", "workflowRunId", "sessionId")


def view(run: Run) -> WorkflowRun:
    """Return a run as tests see it."""
    return WorkflowRun(
        workflow_definition_name=run.definition.id,
        workflow_run_id=run.id,
        session_ids=tuple(each.id for each in run.sessions),
    )


def _trace(run: Run, act: Act | None = None) -> dict[str, str] | None:
    """Return where the trace of an ended run or act is, if its definition exports traces."""
    export = run.definition.export_config
    ended_at = run.ended_at if act is None else act.ended_at
    if export is None or ended_at is None:
        return None
    names = [export.get("s3KeyPrefix"), run.id, None if act is None else act.id]
    path = "/".join(filter(None, names))
    return {"locationType": "S3", "location": f"s3://{export['s3BucketName']}/{path}"}


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(bytes=rng.randbytes(16), version=4))
