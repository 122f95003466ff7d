"""Waiting on asyncio until a deadline."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

ResultT = TypeVar("ResultT")


class DeadlinePassed(Exception):  # noqa: N818 - not an error where it is caught
    """The deadline came first."""


async def wait_until(deadline: float | None, awaited: Awaitable[ResultT]) -> ResultT:
    """Wait for something until the deadline, by `time.monotonic`; None for as long as it takes.

    Raises:
        DeadlinePassed: it did not come in time, and was cancelled.
    """
    if deadline is None:
        return await awaited
    # Not `asyncio.wait_for`, which before Python 3.12 may swallow a cancellation from outside.
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - there is one wherever there is something to await
    before = getattr(task, "cancelling", int)()  # from Python 3.11 on, cancellations are counted
    uncancel = getattr(task, "uncancel", int)
    over = cancelled = False

    def end() -> None:
        nonlocal over
        over = True
        task.cancel()

    timer = loop.call_at(loop.time() + deadline - time.monotonic(), end)
    try:
        return await awaited
    except asyncio.CancelledError as error:
        cancelled = True
        if not over or uncancel() > before:
            raise
        raise DeadlinePassed from error
    finally:
        timer.cancel()
        if over and not cancelled:  # what was awaited made something else of it
            uncancel()
