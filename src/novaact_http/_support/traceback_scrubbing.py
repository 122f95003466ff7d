"""Keeps secrets out of tracebacks that are shown with local variables, as Sentry and `rich` show them.

An error's traceback keeps the frame of each function that the error came through, with its variables. Among them are
the request's bytes, the signing key and the environment. The library clears these frames before an error reaches the
user. That costs nothing when there is no error, and secrets need no wrappers.

Frames of the user's code are left alone, also where the library calls it. Frames that still run cannot be cleared: a
value in a variable of the library while it calls the user's code must hide its secrets in its `repr`.

Before Python 3.13, clearing the frame of a suspended coroutine ends the coroutine. A coroutine that an error came
through is not suspended any more, unless one exception object is raised in several tasks, through httpx.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# Packages whose code handles requests, responses or credentials for the library. Python's own modules come in addition.
_PACKAGES = frozenset(
    {"novaact_http", "httpx", "httpcore", "h11", "h2", "hpack", "hyperframe", "anyio", "botocore", "urllib3"}
)
_ASYNCHRONOUS = 0x280  # inspect.CO_COROUTINE and CO_ASYNC_GENERATOR


def clear(error: BaseException) -> None:
    """Clear the local variables of the ended functions that an error, and its causes and contexts, came through."""
    seen: set[int] = set()
    remaining: list[BaseException | None] = [error]
    while remaining:
        each = remaining.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        remaining += [each.__cause__, each.__context__]
        trace = each.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if _may_hold_secrets(frame):
                with contextlib.suppress(RuntimeError):  # it still runs
                    frame.clear()


def _may_hold_secrets(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    if package in sys.stdlib_module_names:
        # Coroutines of asyncio hold no secrets, and may be suspended: clearing the frame of one would end it.
        return not frame.f_code.co_flags & _ASYNCHRONOUS
    return package in _PACKAGES or package.startswith("namedtuple_")


@contextlib.contextmanager
def cleared() -> Iterator[None]:
    """Clear an error that is raised in the block. It costs a few microseconds, so it is for code that runs rarely."""
    try:
        yield
    except BaseException as error:
        clear(error)
        raise
