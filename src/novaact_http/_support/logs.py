"""The library's logger. `logging` takes 5 ms to import, and most programs never log anything of the library."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging


_DEBUG = 10  # logging.DEBUG


@functools.cache
def log() -> logging.Logger:
    """Return the library's logger."""
    import logging

    return logging.getLogger("novaact_http")


def shows_debug_lines() -> bool:
    """Tell whether a line of level DEBUG would reach anybody."""
    # A program that has not loaded `logging` has not asked for such lines.
    return "logging" in sys.modules and log().isEnabledFor(_DEBUG)
