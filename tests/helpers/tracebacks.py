"""Errors as error trackers show them: with the repr of each variable of each function that they came through."""

from __future__ import annotations

import contextlib
import pickle
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from novaact_http._clients import base

if TYPE_CHECKING:
    import types
    from collections.abc import Iterator

TESTS = Path(__file__).parents[1]


def everything(error: BaseException) -> str:
    """Return an error and its causes as text, with their facts and the variables of all functions except the tests'."""
    shown: list[str] = []
    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        each = found.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        found += [each.__cause__, each.__context__]
        shown += [str(each), repr(each), repr(vars(each)), *traceback.format_exception_only(type(each), each)]
        # Not all errors of other libraries can be pickled.
        with contextlib.suppress(TypeError, AttributeError, pickle.PicklingError):
            shown.append(repr(pickle.dumps(each)))
        for frame, _ in traceback.walk_tb(each.__traceback__):
            if TESTS not in Path(frame.f_code.co_filename).parents:
                shown += variables(frame)
    return "\n".join(shown)


def variables(frame: types.FrameType) -> Iterator[str]:
    for name, value in frame.f_locals.items():
        is_half_made = isinstance(value, base.ClientBase) and not hasattr(value, "_context")
        yield f"{frame.f_code.co_name}: {name} = {'' if is_half_made else repr(value)}"
