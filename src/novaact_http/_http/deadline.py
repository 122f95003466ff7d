"""Waiting on asyncio until a deadline."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

ResultT = TypeVar("ResultT")


class DeadlinePassed(Exception):  # noqa: N818 - where it is caught, it is not an error
    """The deadline passed before the awaited result came."""


async def wait_until(deadline: float | None, awaited: Awaitable[ResultT]) -> ResultT:
    """Wait for a result until a deadline, and return it.

    Args:
        deadline: by `time.monotonic`; None for no deadline.
        awaited: what to wait for.

    Raises:
        DeadlinePassed: the result did not come in time, and the wait for it was cancelled.
    """
    if deadline is None:
        return await awaited
    # Not `asyncio.wait_for`, which before Python 3.12 may swallow a cancellation from outside.
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine of asyncio runs in a task
    before = getattr(task, "cancelling", int)()  # from Python 3.11 on, cancellations are counted
    uncancel = getattr(task, "uncancel", int)
    passed = cancelled = False

    def end() -> None:
        nonlocal passed
        passed = True
        task.cancel()

    timer = loop.call_at(loop.time() + deadline - time.monotonic(), end)
    try:
        return await awaited
    except asyncio.CancelledError as error:
        cancelled = True
        if not passed or uncancel() > before:
            raise
        raise DeadlinePassed from error
    finally:
        timer.cancel()
        if passed and not cancelled:  # the awaited code caught the cancellation, and returned or raised something else
            uncancel()
