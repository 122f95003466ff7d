"""Tells whether anything stands in the place of httpx's own functions. Then requests go through httpx, which it sees.

It may answer or record requests, as respx, pytest-httpx, vcrpy and pook do, or be instrumentation: nobody can tell.
A function is httpx's own if it is a plain function with the right name and with the globals of one of httpx's modules.
Its `__module__` does not tell: a replacement made with `functools.wraps` or wrapt has that of the original.
"""

from __future__ import annotations

import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable


class _Place:
    """A class's function that httpx calls to send a request.

    Args:
        package: `"httpx"` or `"httpcore"`.
        owner: the class's name.
        name: the function's name.
        defined_in: the class that it is inherited from; `""` for its own.

    Attributes:
        own: httpx's function, once it was seen, so that later looks are quick.
    """

    __slots__ = ("_qualified_name", "name", "own", "owner", "package")

    def __init__(self, package: str, owner: str, name: str, defined_in: str = "") -> None:
        self.package = package
        self.owner = owner
        self.name = name
        self.own: FunctionType | None = None
        self._qualified_name = f"{defined_in or owner}.{name}"

    def recognises(self, function: Any) -> bool:
        """Tell whether a function is httpx's own, or None, as there is none."""
        if function is None:
            return True
        is_own = (
            type(function) is FunctionType
            and function.__qualname__ == self._qualified_name
            and function.__globals__["__name__"].startswith(f"{self.package}.")
        )
        if is_own:
            self.own = function
        return is_own


def _places(prefix: str, method: str) -> tuple[tuple[_Place, ...], tuple[_Place, ...]]:
    of_clients = ("send", "_send_handling_auth", "_send_handling_redirects", "_send_single_request")
    return (
        tuple(_Place("httpx", f"{prefix}Client", name) for name in (*of_clients, "_transport_for_url")),
        (
            _Place("httpx", f"{prefix}HTTPTransport", method),
            _Place("httpcore", f"{prefix}ConnectionPool", method),
            _Place("httpcore", f"{prefix}HTTPProxy", method, defined_in=f"{prefix}ConnectionPool"),
            _Place("httpcore", f"{prefix}HTTPConnection", method),
            _Place("httpcore", f"{prefix}HTTP11Connection", method),
        ),
    )


_PLACES = {
    "handle_request": _places("", "handle_request"),
    "handle_async_request": _places("Async", "handle_async_request"),
}


def are_installed(method: str) -> bool:
    """Tell whether a function that sends requests in httpx is replaced. Costs almost nothing if httpx is not loaded.

    Args:
        method: `"handle_request"` or `"handle_async_request"`.
    """
    if "httpx" not in sys.modules and "httpcore" not in sys.modules:
        return False
    of_clients, of_transports = _PLACES[method]
    return _is_taken(of_transports) or _is_taken(of_clients)


def need_client(method: str) -> bool:
    """Tell whether a function of httpx's client is replaced, so that requests must go through one to be seen.

    Args:
        method: see `are_installed`.
    """
    return _is_taken(_PLACES[method][0])


def _is_taken(places: Iterable[_Place]) -> bool:
    modules = sys.modules
    for each in places:
        function = getattr(getattr(modules.get(each.package), each.owner, None), each.name, None)
        if function is not each.own and not each.recognises(function):
            return True
    return False
