"""Answers ListSessions requests as Nova Act does, without HTTP and without signatures.

Constraints and errors come from the service model in botocore.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import random
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, unquote

import attrs
from botocore import xform_name
from botocore.loaders import Loader
from botocore.model import ServiceModel

from novaact_http.testing._argument_checks import ArgumentError, check, check_number, session_ids
from novaact_http.testing._local_service.http_messages import Answer, error, success

_ROUTE = re.compile(r"/workflow-definitions/([^/]+)/workflow-runs/([^/]+)")
_PAGE_SIZE = 100  # without maxResults
DEFINITIONS = {"checkout-flow": (34, 3, 0), "invoice-export": (250, 1), "signup-smoke-test": (11,)}
_RUNS = [34, ["id-1", "id-2"]]


@attrs.frozen(kw_only=True)
class WorkflowRun:
    """A workflow run of the local service, with its sessions from the oldest to the newest."""

    workflow_definition_name: str
    workflow_run_id: str
    session_ids: tuple[str, ...] = attrs.field(repr=lambda ids: f"<{len(ids)} sessions>")


class NovaAct:
    """The workflow runs that exist, and the listing of their sessions."""

    def __init__(self, seed: int, definitions: Mapping[str, Sequence[int | Iterable[str]]]) -> None:
        # Two generators, so that the ids of a new run do not depend on the number of requests before.
        self._random = random.Random(seed)  # noqa: S311 - not secret, and the same for the same seed
        self._random_of_requests = random.Random(f"requests {seed}")  # noqa: S311
        self._inputs = _model().operation_model("ListSessions").input_shape.members
        self._token_key = self._random.randbytes(32)
        self.runs: dict[tuple[str, str], WorkflowRun] = {}
        check("definitions", definitions, f"a mapping such as {{'a': {_RUNS}}}", valid=isinstance(definitions, Mapping))
        for name, runs in definitions.items():
            check(f"definitions[{name!r}]", runs, f"a list of runs such as {_RUNS}", valid=isinstance(runs, Iterable))
            for sessions in runs:
                self.add_run(name, sessions, argument=f"a run of definitions[{name!r}]")

    def add_run(
        self,
        workflow_definition_name: str,
        sessions: int | Iterable[str],
        workflow_run_id: str | None = None,
        *,
        replace: bool = False,
        argument: str = "sessions",
    ) -> WorkflowRun:
        run_id = _uuid(self._random) if workflow_run_id is None else workflow_run_id
        for name, value in (("workflowDefinitionName", workflow_definition_name), ("workflowRunId", run_id)):
            problem = _problem(self._inputs[name], value)
            if problem is not None:
                raise ValueError(f"{value!r} cannot be a {name}: {problem}")
        if (workflow_definition_name, run_id) in self.runs and not replace:
            raise ValueError(
                f"{workflow_definition_name} already has a run {run_id}: add_sessions() adds to it, "
                "replace=True replaces it"
            )
        run = WorkflowRun(
            workflow_definition_name=workflow_definition_name,
            workflow_run_id=run_id,
            session_ids=self._session_ids(sessions, argument),
        )
        self.runs[workflow_definition_name, run_id] = run
        return run

    def add_sessions(self, run: WorkflowRun, sessions: int | Iterable[str]) -> WorkflowRun:
        key = name, run_id = run.workflow_definition_name, run.workflow_run_id
        if key not in self.runs:
            raise KeyError(f"{name} has no run {run_id}: add_run() adds it")
        grown = attrs.evolve(run, session_ids=self.runs[key].session_ids + self._session_ids(sessions))
        self.runs[key] = grown
        return grown

    def _session_ids(self, sessions: int | Iterable[str], argument: str = "sessions") -> tuple[str, ...]:
        return session_ids(argument, sessions, lambda: _uuid(self._random))

    def new_request_id(self) -> str:
        return _uuid(self._random_of_requests)

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Answer a request whose signature is valid."""
        path, _, query = target.partition("?")
        route = _ROUTE.fullmatch(path)
        if method != "POST" or route is None:
            return error(404, "UnknownOperationException", {"message": "The local service knows only ListSessions."})
        try:
            values = self._bind(
                labels={"workflowDefinitionName": route[1], "workflowRunId": route[2]},
                query=dict(parse_qsl(query, keep_blank_values=True, errors="strict")),
                body=_json_object(body),
            )
        except (ValueError, RecursionError):
            return error(400, "SerializationException", {"message": "The request cannot be deserialized."})
        problems = [
            (name, problem)
            for name, value in values.items()
            if (problem := _problem(self._inputs[name], value)) is not None
        ]
        return _invalid(problems) if problems else self._list_sessions(values)

    def _bind(self, *, labels: dict[str, str], query: dict[str, str], body: dict[str, object]) -> dict[str, object]:
        """Return the members of the request, each taken only from the location that the model gives it."""
        values: dict[str, object] = {}
        for name, shape in self._inputs.items():
            location = shape.serialization.get("location")
            if location == "uri":
                values[name] = unquote(labels[name], errors="strict")
            else:
                value = query.get(name) if location == "querystring" else body.get(name)
                if value is not None:
                    values[name] = value
        return values

    def _list_sessions(self, values: dict[str, Any]) -> Answer:
        name, run_id = values["workflowDefinitionName"], values["workflowRunId"]
        run = self.runs.get((name, run_id))
        if run is None:
            known = any(each == name for each, _ in self.runs)
            kind, resource = ("WorkflowRun", run_id) if known else ("WorkflowDefinition", name)
            message = f"{kind} {resource} was not found."
            return modelled_error("ResourceNotFoundException", message, resource_id=resource, resource_type=kind)
        order = values.get("sortOrder", "Ascending")
        size = int(values.get("maxResults", _PAGE_SIZE))
        is_ascending = order == "Ascending"
        # A position counts the older sessions, so sessions that are added between two pages change nothing.
        position: int | None = 0 if is_ascending else len(run.session_ids)
        if "nextToken" in values:
            position = self._position(values["nextToken"], run_id, order)
        if position is None:
            return _invalid([("nextToken", "The token does not belong to this listing.")])
        if is_ascending:
            end = min(position + size, len(run.session_ids))
            ids, has_more = run.session_ids[position:end], end < len(run.session_ids)
        else:
            end = max(position - size, 0)
            ids, has_more = run.session_ids[end:position][::-1], end > 0
        page: dict[str, object] = {"sessionSummaries": [{"sessionId": each} for each in ids]}
        if has_more:
            page["nextToken"] = self._token(end, run_id, order)
        return success(page)

    def _token(self, position: int, run_id: str, order: str) -> str:
        mac = hmac.digest(self._token_key, f"{position} {run_id} {order}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(position.to_bytes(4, "big") + mac).decode()

    def _position(self, token: str, run_id: str, order: str) -> int | None:
        try:
            position = int.from_bytes(base64.urlsafe_b64decode(token)[:4], "big")
        except ValueError:
            return None
        return position if hmac.compare_digest(token.encode(), self._token(position, run_id, order).encode()) else None


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(bytes=rng.randbytes(16), version=4))


@cache
def _model() -> ServiceModel:
    return ServiceModel(Loader().load_service_model("nova-act", "service-2"))


def modelled_error(code: str, message: str, **members: object) -> Answer:
    """Return an error of the service model, with its status, and its members where the model puts them.

    Args:
        code: the error code, such as `"ThrottlingException"`.
        message: the service's message.
        members: the error's members, by their names on the exception. Required ones that are missing get an example.

    Raises:
        ValueError: the code is not in the model, or a number is not valid.
        TypeError: the error has no such member.
    """
    shapes = {each.name: each for each in _model().error_shapes}
    if code not in shapes:
        known = ", ".join(sorted(shapes))
        raise ArgumentError(
            code,
            f"is not an error of the service model, which has {known}",
            "use answer_next() for any other response",
        )
    shape = shapes[code]
    names = {xform_name(name): name for name in shape.members}
    unknown = members.keys() - names.keys()
    if unknown:
        raise TypeError(f"{code} has no {', '.join(sorted(unknown))}, only {', '.join(sorted(names))}")
    body: dict[str, object] = {"message": message}
    headers: dict[str, str] = {}
    for name, wire_name in names.items():
        if name in members and shape.members[wire_name].type_name == "integer":
            check_number(name, members[name], minimum=0, whole=True)
        location = shape.members[wire_name].serialization
        if location.get("location") == "header":
            if name in members:
                headers[location["name"]] = str(members[name])
        elif name in members or wire_name in shape.required_members:
            body[wire_name] = members.get(name, body.get(wire_name, f"example-{wire_name}"))
    return error(shape.metadata["error"]["httpStatusCode"], code, body, headers)


def _invalid(problems: list[tuple[str, str]]) -> Answer:
    return modelled_error(
        "ValidationException",
        "; ".join(f"{name}: {problem}" for name, problem in problems),
        reason="FieldValidationFailed",
        field_list=[{"name": name, "message": problem} for name, problem in problems],
    )


def _json_object(body: bytes) -> dict[str, object]:
    parsed = json.loads(body)
    if not isinstance(parsed, dict):
        raise ValueError("not an object")
    return parsed


def _problem(shape: Any, value: object) -> str | None:
    """Return how a value breaks the model's constraints, or None. Only members of the body can be other than text."""
    limits = shape.metadata
    if not isinstance(value, str):
        return "Value must be a string."
    if shape.type_name == "integer":
        if not re.fullmatch(r"-?[0-9]{1,9}", value):
            return "Value must be an integer."
        size, unit = int(value), ""
    else:
        size, unit = len(value), " characters"
    if not limits.get("min", size) <= size <= limits.get("max", size):
        return f"Value must be from {limits.get('min')} to {limits.get('max')}{unit}."
    if not re.fullmatch(limits.get("pattern", "(?s:.*)"), value):
        return f"Value must satisfy the pattern {limits['pattern']}."
    if "enum" in limits and value not in limits["enum"]:
        return f"Value must be one of {', '.join(limits['enum'])}."
    return None
