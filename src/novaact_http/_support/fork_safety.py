"""Locks that a forked child finds open, although another thread of its parent held them as it forked."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Owner(Protocol):
    """What has locks, or threads at work for it: neither of them outlives a fork."""

    def after_fork(self) -> None:
        """Make the locks anew, and forget the threads. Called in the child."""
        ...


_owners: weakref.WeakSet[Owner] = weakref.WeakSet()


def renew_after_fork(owner: Owner) -> None:
    """Have `owner.after_fork()` called in every child that is forked while the owner lives."""
    _owners.add(owner)


def _after_fork() -> None:
    for owner in list(_owners):
        owner.after_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch - there is no forking on Windows
    os.register_at_fork(after_in_child=_after_fork)
