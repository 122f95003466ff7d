"""What is known of all operations: which one a request is for, and what its values are made of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from novaact_http import _operations
from novaact_http._operations.shapes import ListOf, Operation, Shape, Structure

if TYPE_CHECKING:
    from collections.abc import Iterator

OPERATIONS: tuple[Operation[Any], ...] = tuple(getattr(_operations, name) for name in _operations.__all__)


class Route(NamedTuple):
    """An operation, and what its labels are in a path.

    Attributes:
        prefix: what stands before: the path of the endpoint.
        labels: decoded values by the service's names.
    """

    operation: Operation[Any]
    prefix: str
    labels: dict[str, str]


def find_route(method: str, path: str) -> Route | None:
    """Return the operation that a request is for; None if it is for none.

    Args:
        method: such as `"GET"`.
        path: the encoded path, without the query.
    """
    routes = []
    for operation in OPERATIONS:
        template = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(operation.path))
        match = re.fullmatch(f"(.*?){template}", path)
        if match and operation.method == method:
            labels = {name: unquote(value) for name, value in match.groupdict().items()}
            routes.append(Route(operation, match[1], labels))
    return min(routes, key=lambda route: len(route.prefix), default=None)


def structures_in(shape: Shape) -> Iterator[Structure[Any]]:
    """Yield the structures of which a shape is made."""
    if isinstance(shape, ListOf):
        yield from structures_in(shape.element)
    elif isinstance(shape, Structure):
        yield shape
        for member in shape.members:
            yield from structures_in(member.shape)
