"""What operations are made of: where each argument goes in the request, the shapes of values, the output, the errors.

Pure declaration: another operation of the service needs another value and its models, but no code. All facts are from
the service model `nova-act/2025-08-22`. The name of a value on the wire is the camelCase of its name in Python.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, Protocol, TypeVar

from novaact_http._support.late_attrs import fields
from novaact_http._support.records import Record

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import Enum

    from novaact_http._operations.common import ResponseMetadata

ModelT_co = TypeVar("ModelT_co", covariant=True)
OutputT_co = TypeVar("OutputT_co", bound="Output", covariant=True)


class Output(Protocol):
    """The output of every operation: a model that also has the response's metadata."""

    @property
    def metadata(self) -> ResponseMetadata:
        """Request id, status, headers and attempts."""
        ...


# Shapes are plain classes, as they are made at start-up, and attrs takes 0.3 ms for each class. The service judges all
# limits but the minima, as with botocore.


class Shape:
    """What a value is in JSON and in Python."""

    __slots__ = ()

    is_sensitive = False  # whether there are values in it that are never shown


class String(Shape):
    """A str.

    Args:
        minimum: its least length.
    """

    __slots__ = ("minimum",)

    def __init__(self, minimum: int = 0) -> None:
        self.minimum = minimum


class Label(String):
    """A str that is a segment of the path."""

    __slots__ = ()


class Token(String):
    """A str by which the service knows a request that it has carried out already. The client makes one up."""

    __slots__ = ()


class Enumeration(String):
    """A str, which is a member of an enumeration if its value is known.

    Args:
        members: the enumeration.
    """

    __slots__ = ("members",)

    def __init__(self, members: type[Enum]) -> None:
        super().__init__()
        self.members = members


class Integer(Shape):
    """An int.

    Args:
        minimum: its least value; None for no limit.
    """

    __slots__ = ("minimum",)

    def __init__(self, minimum: int | None = None) -> None:
        self.minimum = minimum


class Seconds(Shape):
    """A number of seconds to wait for. It is not sent."""

    __slots__ = ()


class Timestamp(Shape):
    """A moment: ISO 8601 or seconds since the epoch in JSON, a `datetime` in UTC. Only outputs have it."""

    __slots__ = ()


class Document(Shape):
    """Any JSON value, which stays as it is."""

    __slots__ = ()


class ListOf(Shape):
    """An array whose elements all have one shape. A tuple in outputs; a list or tuple in inputs.

    Args:
        element: the shape of the elements.
        minimum: the least number of elements.
    """

    __slots__ = ("element", "is_sensitive", "minimum")

    def __init__(self, element: Shape, minimum: int = 0) -> None:
        self.element = element
        self.is_sensitive = element.is_sensitive
        self.minimum = minimum


class Member(NamedTuple):
    """One member of an object.

    Attributes:
        name: the name of the attribute.
        wire_name: the service's name for it.
        shape: what its value is.
        required: whether it must be there.
        sensitive: whether its value is never shown.
    """

    name: str
    wire_name: str
    shape: Shape
    required: bool = False
    sensitive: bool = False


class Structure(Shape, Generic[ModelT_co]):
    """An object, and the class that it becomes. Use `structure` to make one.

    Args:
        model: the class.
        members: its members.
    """

    __slots__ = ("is_sensitive", "members", "model")

    def __init__(self, model: Callable[..., ModelT_co], members: tuple[Member, ...]) -> None:
        self.model = model
        self.members = members
        self.is_sensitive = any(each.sensitive or each.shape.is_sensitive for each in members)


class Union(Structure[ModelT_co]):
    """An object of which exactly one member is there. Only inputs have it."""

    __slots__ = ()


STRING = String()
NAME = String(minimum=1)  # a str that is not empty
INTEGER = Integer()
TIMESTAMP = Timestamp()
DOCUMENT = Document()


def structure(model: Callable[..., ModelT_co], **shapes: Shape) -> Structure[ModelT_co]:
    """Return the structure of an attrs class.

    A member is required if its attribute has no default, and sensitive if the attribute is not in the repr.

    Args:
        model: the class.
        shapes: the shapes of its attributes. The others are strings.
    """
    return Structure(model, _members(model, shapes))


def union(model: Callable[..., ModelT_co], **shapes: Shape) -> Union[ModelT_co]:
    """Return the union of an attrs class. See `structure`."""
    return Union(model, _members(model, shapes))


def _members(model: Any, shapes: dict[str, Shape]) -> tuple[Member, ...]:
    return tuple(
        Member(
            each.name,
            wire_name(each.name),
            shapes.get(each.name, STRING),
            each.required,
            not each.repr,
        )
        for each in fields(model)
        if each.name != "metadata"
    )


def wire_name(name: str) -> str:
    """Return the service's name for a name in Python, such as `"sessionId"` for `"session_id"`."""
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


class Input(NamedTuple):
    """One argument of an operation. Use `path`, `query` and `body` to make one.

    Attributes:
        name: the name of the Python argument.
        wire_name: the service's name for it.
        location: where it goes in the request; `"client"` if it is not sent but tells the client what to do.
        shape: what its value is.
        required: whether it must be given.
        sensitive: whether its value is never shown.
    """

    name: str
    wire_name: str
    location: Literal["path", "query", "body", "client"]
    shape: Shape
    required: bool = False
    sensitive: bool = False


def path(name: str) -> Input:
    """Return an argument that is a segment of the path. It is required, and must not be empty."""
    return Input(name, wire_name(name), "path", Label(minimum=1), required=True)


def query(name: str, shape: Shape = STRING, *, required: bool = False) -> Input:
    """Return an argument that goes into the query."""
    return Input(name, wire_name(name), "query", shape, required)


def body(name: str, shape: Shape = STRING, *, required: bool = False, sensitive: bool = False) -> Input:
    """Return an argument that goes into the body."""
    return Input(name, wire_name(name), "body", shape, required, sensitive)


CLIENT_TOKEN = body("client_token", Token(minimum=33))
PAGE = (query("max_results", Integer(minimum=1)), query("next_token", NAME))


class Paging(Record):
    """The arguments and members that pagination uses, by their Python names."""

    items: str
    input_token: str = "next_token"  # noqa: S105
    output_token: str = "next_token"  # noqa: S105
    limit: str = "max_results"


class Operation(Record, Generic[OutputT_co]):
    """One operation of the service.

    Attributes:
        http: the method and the path template, with `{wireName}` for each argument that goes into the path.
        output: what it returns.
        errors: the codes that the model lists for the operation. The model says what kind of failure each of them is;
            for other codes the status does.
        repeatable: whether it may be sent again after any failure: it changes nothing, or changes the same again, or
            has a token by which the service knows it again.
        paging: how to go through its pages; None if it has none.
        method: the HTTP method.
        path: the path template.
        has_body: whether its requests have a body.
        token: the name of the argument that is its token; None if it has none.
        query_is_sorted: whether the arguments in the query are in the order of their names.
        is_sensitive: whether there are values in its inputs or its output that are never shown.
    """

    name: str
    http: str
    inputs: tuple[Input, ...]
    output: Structure[OutputT_co]
    errors: frozenset[str]
    repeatable: bool = True
    paging: Paging | None = None

    @cached_property
    def method(self) -> str:
        return self.http.partition(" ")[0]

    @cached_property
    def path(self) -> str:
        return self.http.partition(" ")[2]

    @cached_property
    def has_body(self) -> bool:
        return any(each.location == "body" for each in self.inputs)

    @cached_property
    def token(self) -> str | None:
        return next((each.name for each in self.inputs if type(each.shape) is Token), None)

    @cached_property
    def query_is_sorted(self) -> bool:
        names = [each.wire_name for each in self.inputs if each.location == "query"]
        return names == sorted(names)

    @cached_property
    def is_sensitive(self) -> bool:
        return self.output.is_sensitive or any(each.sensitive or each.shape.is_sensitive for each in self.inputs)
