"""All operations of the library, and their methods."""

from __future__ import annotations

import re
from typing import Any

from novaact_http import Client
from novaact_http import _operations as operations

OPERATIONS: dict[str, Any] = {value.name: value for value in (getattr(operations, name) for name in operations.__all__)}


def method_name(operation: str) -> str:
    """Return the name of an operation's method, such as `list_sessions`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", operation).lower()


def iterator_name(operation: str) -> str:
    """Return the name of the method that goes through all pages, such as `iter_sessions`."""
    return method_name(operation).replace("list_", "iter_")


def has_method(name: str) -> bool:
    return callable(getattr(Client, name, None))
