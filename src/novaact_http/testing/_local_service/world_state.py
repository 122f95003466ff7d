"""A world as JSON: what the service begins with, and what `LocalService.load` adds.

Its objects have the arguments of `add_definition`, `add_run` and `add_act`, and what is in them as lists:

    {"definitions": [{"name": "checkout", "runs": [
        {"status": "FAILED", "started_at": -3600, "sessions": [{"acts": [{"status": "FAILED"}]}]},
        {"sessions": 34}]}]}

Times are seconds since the epoch; negative ones are seconds before now; text is ISO 8601.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from novaact_http.testing._argument_checks import ArgumentError, check_text, refuse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from novaact_http.testing._local_service.world_methods import WorldMethods

_DEFINITION = ("name", "description", "export_config", "created_at", "status", "runs")
_RUN = ("workflow_run_id", "status", "started_at", "ended_at", "sessions")
_SESSION = ("session_id", "acts")
_ACT = ("task", "status", "started_at", "ended_at")
_TIMES = ("created_at", "started_at", "ended_at")

# Runs and acts of every status. The first run has the most to show.
BEGINNING: Mapping[str, Any] = {
    "definitions": [
        {
            "name": "checkout-flow",
            "description": "Buys what is in the basket.",
            "export_config": {"s3BucketName": "example-traces", "s3KeyPrefix": "checkout"},
            "created_at": -90_000,
            "runs": [
                {"sessions": 34, "started_at": -5_400},
                {"sessions": 3, "started_at": -4_800, "status": "SUCCEEDED", "ended_at": -4_200},
                {"sessions": 0, "started_at": -3_600, "status": "FAILED", "ended_at": -3_590},
            ],
        },
        {
            "name": "invoice-export",
            "created_at": -80_000,
            "runs": [
                {"sessions": 250, "started_at": -3_000},
                {"sessions": 1, "started_at": -2_400, "status": "TIMED_OUT", "ended_at": -1_200},
            ],
        },
        {
            "name": "signup-smoke-test",
            "created_at": -70_000,
            "runs": [
                {"sessions": 11, "started_at": -1_800},
                {"sessions": 1, "started_at": -900, "status": "DELETING", "ended_at": -60},
            ],
        },
    ]
}
_ACTS = (
    {"task": "Open the shop.", "status": "SUCCEEDED", "started_at": -5_300, "ended_at": -5_280},
    {"task": "Put a kettle into the basket.", "status": "FAILED", "started_at": -5_200, "ended_at": -5_100},
    {"task": "Wait for the confirmation.", "status": "TIMED_OUT", "started_at": -5_000, "ended_at": -4_000},
    {"task": "Find the cheapest kettle.", "status": "RUNNING", "started_at": -300},
    {"task": "Put it into the basket.", "status": "PENDING_CLIENT_ACTION", "started_at": -120},
    {"task": "Solve the captcha.", "status": "PENDING_HUMAN_ACTION", "started_at": -60},
)


def begin(service: WorldMethods, now: float) -> None:
    """Add what a service has if nothing else is asked for."""
    load(service, BEGINNING, now)
    first = service.runs[0]
    for session_id, act in zip(first.session_ids, _ACTS, strict=False):
        _add(service.add_act, "", now, act, first, session_id)


def load(service: WorldMethods, state: object, now: float) -> None:
    """Add what a state has to a service.

    Raises:
        ArgumentError: it is no state. The error names the place, such as `definitions[0].runs[2].status`.
    """
    given = _object(state, "the state", ("definitions",))
    for definition, where in _objects(given.get("definitions", ()), "definitions", _DEFINITION):
        runs = definition.pop("runs", ())
        name = definition.pop("name", None)
        check_text(f"{where}.name", name, "the name of a workflow definition", ".+")
        _add(service.add_definition, where, now, definition, name)
        for run, place in _objects(runs, f"{where}.runs", _RUN):
            _load_run(service, run, place, now, name)


def _load_run(service: WorldMethods, members: dict[str, Any], where: str, now: float, name: str) -> None:
    sessions = members.pop("sessions", 0)
    if not isinstance(sessions, Sequence) or isinstance(sessions, str) or not any(map(_is_object, sessions)):
        _add(service.add_run, where, now, {**members, "sessions": sessions}, name)
        return
    run = _add(service.add_run, where, now, members, name)
    for session, place in _objects(sessions, f"{where}.sessions", _SESSION):
        ids: int | list[str] = 1
        if "session_id" in session:
            check_text(f"{place}.session_id", session["session_id"], "the id of a session", ".+")
            ids = [session["session_id"]]
        session_id = _add(service.add_sessions, place, now, {"sessions": ids}, run).session_ids[-1]
        for act, place_of_act in _objects(session.get("acts", ()), f"{place}.acts", _ACT):
            _add(service.add_act, place_of_act, now, act, run, session_id)


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping)


def _objects(value: object, where: str, names: Sequence[str]) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the objects of a list, each with its place."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        refuse(where, value, "a list of objects")
    for number, each in enumerate(value):
        yield _object(each, f"{where}[{number}]", names), f"{where}[{number}]"


def _object(value: object, where: str, names: Sequence[str]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise ArgumentError(where, f"must be an object with {', '.join(names)}, not {type(value).__name__}")
    unknown = [str(each) for each in value if each not in names]
    if unknown:
        raise ArgumentError(where, f"has {', '.join(unknown)}, which it cannot have, only {', '.join(names)}")
    return dict(value)


def _add(add: Callable[..., Any], where: str, now: float, members: Mapping[str, Any], *arguments: Any) -> Any:
    """Call a method that adds something, and name the place of what it refuses."""
    times = {name: _seconds(members[name], f"{where}.{name}", now) for name in _TIMES if name in members}
    try:
        return add(*arguments, **{**members, **times})
    except ArgumentError as error:
        raise ArgumentError(f"{where}.{error.subject}", error.problem, error.advice) from error
    except ValueError as error:
        raise ArgumentError(where, f"cannot be added: {error}") from error


def _seconds(value: Any, where: str, now: float) -> Any:
    """Return a time as seconds since the epoch; something else as it is, as the method refuses it."""
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            raise ArgumentError(where, f"must be a time such as 2026-01-31T12:00:00Z, not {value!r}") from None
        return (moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)).timestamp()
    if isinstance(value, (int, float)) and value < 0:
        return max(now + value, 0.0)
    return value
