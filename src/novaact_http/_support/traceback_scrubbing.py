"""Keeps secrets out of tracebacks that are shown with local variables, as Sentry and `rich` show them.

An error's traceback keeps the frames of all the functions that it came through, with their variables: the request's
bytes among them, the signing key, the environment. They are cleared before an error reaches the user. That costs
nothing where there is no error, and needs no wrapping of what is secret.

Frames of the user's own code are left alone, also where the library calls it. So are those that still run: what the
library has in a variable while it calls the user's code must hide secrets in its `repr`.

Before Python 3.13, clearing the frame of a coroutine that waits ends it. None of those waits any more that an error of
this call has come through; it would take one exception object that is raised in several tasks, through httpx.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

# Those whose code handles a request, a response, or credentials, on behalf of the library; and Python's own.
_PACKAGES = frozenset(
    {"novaact_http", "httpx", "httpcore", "h11", "h2", "hpack", "hyperframe", "anyio", "botocore", "urllib3"}
)
_ASYNCHRONOUS = 0x280  # inspect.CO_COROUTINE and CO_ASYNC_GENERATOR


def clear(error: BaseException) -> None:
    """Forget the local variables of the functions, now over, that the error and those behind it came through."""
    seen: set[int] = set()
    found: list[BaseException | None] = [error]
    while found:
        each = found.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        found += [each.__cause__, each.__context__]
        trace = each.__traceback__
        while trace is not None:
            frame, trace = trace.tb_frame, trace.tb_next
            if _is_to_be_cleared(frame):
                with contextlib.suppress(RuntimeError):  # it still runs
                    frame.clear()


def _is_to_be_cleared(frame: FrameType) -> bool:
    package = str(frame.f_globals.get("__name__")).partition(".")[0]
    if package in sys.stdlib_module_names:
        # Those of asyncio hold no secrets, and may be suspended: clearing one would end it.
        return not frame.f_code.co_flags & _ASYNCHRONOUS
    return package in _PACKAGES or package.startswith("namedtuple_")


@contextlib.contextmanager
def cleared() -> Iterator[None]:
    """Clear what is raised within; for what is done rarely, as it costs some microseconds."""
    try:
        yield
    except BaseException as error:
        clear(error)
        raise
