"""Renews locks in a forked child: another thread of the parent may have held one, and will never release it there."""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class Owner(Protocol):
    """An object with locks, or with threads that work for it. A fork breaks both."""

    def after_fork(self) -> None:
        """Make new locks, and forget the threads. Called in the child."""
        ...


_owners: weakref.WeakSet[Owner] = weakref.WeakSet()


def renew_after_fork(owner: Owner) -> None:
    """Call `owner.after_fork()` in every child that is forked while the owner exists."""
    _owners.add(owner)


def _after_fork() -> None:
    for owner in list(_owners):
        owner.after_fork()


if hasattr(os, "register_at_fork"):  # pragma: no branch - Windows has no fork
    os.register_at_fork(after_in_child=_after_fork)
