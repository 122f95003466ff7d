"""Counts what calls hold, so that nothing is lost where one is interrupted; and states the rules for interruptions.

A signal handler, or the garbage collector, runs between any two steps of the thread that it interrupts. It may use or
close a client there, or raise an exception that ends the interrupted call at once. These rules hold in the library:

- What calls take from others is counted by what holds it. A `Place` is given back when it is closed, or when nothing
  refers to it any more; no counter has to be set right afterwards.
- A change to what calls share is one step that Python does whole, such as `deque.append` or `dict.setdefault`. After
  it the state is right. What was seen before a step may not be so any more, as with several threads.
- No thread waits for a lock that it may hold already. Where a lock is needed it is an `RLock`, nothing is waited for
  while it is held, and what it guards is right after each step.
- Nothing counts as begun unless something that will end it is alive. A call that waits is woken to look again, and
  also looks again from time to time: if a wake-up is lost, that costs a moment.
"""

from __future__ import annotations

import weakref


class Place:
    """One of the places in a set of those that are taken, until it is closed, or nothing refers to it any more.

    Args:
        taken: the set. Its length is the number of places that are taken.
    """

    __slots__ = ("__weakref__", "_reference", "_taken")

    def __init__(self, taken: set[weakref.ref[Place]]) -> None:
        # Without code of Python's own in the callback, as an interruption there would be lost, and the place with it.
        self._reference = weakref.ref(self, taken.discard)
        self._taken = taken
        taken.add(self._reference)

    def close(self) -> None:
        """Give the place back. Closing again does nothing."""
        self._taken.discard(self._reference)


def comes_from_signal_handler(error: BaseException) -> bool:
    """Tell whether a signal handler raised an exception, so that it tells nothing of what it interrupted.

    Where an error is turned into another one, this keeps what a handler raises as it is, a `TimeoutError` for example.
    """
    import signal  # rarely needed

    # Not of `SIG_DFL` and the like, whose `__call__` is the one that makes members of any enumeration.
    handlers = {_code(each) for each in map(signal.getsignal, signal.valid_signals()) if callable(each)}
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code in handlers:
            return True
        trace = trace.tb_next
    return False


def _code(handler: object) -> object:
    function = getattr(handler, "func", handler)  # of a `functools.partial`
    return getattr(function, "__code__", None) or getattr(type(function).__call__, "__code__", None)
