"""What the client of an act is told to do in each step, and when the act ends, as a test scripts it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from novaact_http.testing._argument_checks import ArgumentError
from novaact_http.testing._local_service import service_model
from novaact_http.testing._local_service.world import ENDED

if TYPE_CHECKING:
    from novaact_http.testing._local_service.world import Act

# A step: the calls that the client shall make, each with "name" and "input"; or the status that the act gets, without
# any calls. None is the end: SUCCEEDED.
Step = Sequence[Mapping[str, Any]] | str | None
Script = Sequence[Step] | Callable[[list[Any]], Step]

_CALLS_BY_DEFAULT = 2
_ALLOWED = "a list of steps or a function of the call results; a step is a list of calls, a status, or None"


def default(act: Act) -> list[Step]:
    """Return the script of an act for which there is no other: its first tool is called twice, then it succeeds."""
    name = act.tool_specs[0]["name"] if act.tool_specs else "wait"
    return [[{"name": name, "input": {}}]] * _CALLS_BY_DEFAULT


def check(script: object) -> None:
    """Raise an ArgumentError unless this is a script."""
    if isinstance(script, Sequence) and not isinstance(script, str):
        for step in script:
            check_step(step)
    elif not callable(script):
        raise ArgumentError("script", f"must be {_ALLOWED}, not {type(script).__name__}")


def check_step(step: object) -> None:
    """Raise an ArgumentError unless this is a step."""
    if step is None:
        return
    if isinstance(step, str):
        statuses = service_model.model().shape_for("ActStatus").enum
        if step not in statuses:
            raise ArgumentError(f"the step {step!r}", f"must be one of {', '.join(statuses)}, or a list of calls")
        return
    calls = step if isinstance(step, Sequence) else [None]
    if not all(isinstance(each, Mapping) and isinstance(each.get("name"), str) for each in calls):
        raise ArgumentError(f"the step {step!r}", "must be a list of calls such as {'name': 'click', 'input': {}}")


def next_step(act: Act, results: list[Any]) -> tuple[list[dict[str, Any]], str]:
    """Return the calls of an act's next step, and the status that the act has after it.

    Args:
        act: the act, with its steps so far.
        results: what the request has as the results of the calls before.
    """
    script: Script = act.script if act.script is not None else default(act)
    number = len(act.steps)
    if callable(script):
        step = script(results)
        check_step(step)
    else:
        step = script[number] if number < len(script) else None
    if step is None or isinstance(step, str):
        return [], step or "SUCCEEDED"
    calls = [
        {"callId": f"call-{number + 1}-{position}", "input": {}, **each} for position, each in enumerate(step, start=1)
    ]
    return calls, "PENDING_CLIENT_ACTION"


def has_ended(status: str) -> bool:
    """Tell whether an act with this status takes no more steps."""
    return status in ENDED
