"""Calling what blocks from asyncio."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

ResultT = TypeVar("ResultT")


async def call_on_thread(loop: asyncio.AbstractEventLoop, function: Callable[[], ResultT]) -> ResultT:
    """Call a function that takes some milliseconds on a thread; or here, if no thread can be had.

    None can be had if the event loop's executor was shut down, or the process may not start any.
    """
    try:
        called = loop.run_in_executor(None, function)
    except RuntimeError:
        return function()
    return await called
