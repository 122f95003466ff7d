"""What tests need and Windows has not. They are skipped there, with the reason."""

from __future__ import annotations

import sys

import pytest

WINDOWS = sys.platform == "win32"
NO_BASH = "on Windows, bash may be that of another system"
NO_TERMINALS = "Windows has no pseudo-terminals"
needs_bash = pytest.mark.skipif(WINDOWS, reason=NO_BASH)
needs_terminals = pytest.mark.skipif(WINDOWS, reason=NO_TERMINALS)
needs_signals = pytest.mark.skipif(WINDOWS, reason="on Windows, no signal can be sent to one process and handled there")
needs_resource = pytest.mark.skipif(WINDOWS, reason="Windows has no such limits and counts")
needs_own_async_connections = pytest.mark.skipif(WINDOWS, reason="on Windows, AsyncClient goes through httpx")
