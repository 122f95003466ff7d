"""Operations as values: what goes where in the request, what comes back, and what may go wrong.

A further operation of the service is a further value here and its models; no code. All facts are those of the service
model `nova-act/2025-08-22`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, Literal, NamedTuple, Protocol, TypeVar, Union

import attrs

if TYPE_CHECKING:
    from novaact_http._operations.common import ResponseMetadata

ModelT_co = TypeVar("ModelT_co", covariant=True)
OutputT_co = TypeVar("OutputT_co", bound="Output", covariant=True)


class Output(Protocol):
    """What every operation returns: a model that also tells how it came about."""

    @property
    def metadata(self) -> ResponseMetadata:
        """How the response came about."""
        ...


class Input(NamedTuple):
    """One argument of an operation.

    Attributes:
        name: the Python argument.
        wire_name: the service's name for it.
        location: where it goes in the request; `"client"` for what is not sent but steers the client.
        kind: `str` or `int`.
        minimum: the least length of a str, the least value of an int. Further limits are the service's to judge.
    """

    name: str
    wire_name: str
    location: Literal["path", "query", "body", "client"]
    kind: type[str | int] = str
    minimum: int | None = None

    @property
    def required(self) -> bool:
        """Must it be given? All parts of the path must, and nothing else."""
        return self.location == "path"


@attrs.frozen(eq=False, repr=False)
class ListOf:
    """A JSON array whose elements all have one shape."""

    element: Shape


class Member(NamedTuple):
    """One member of a JSON object: the attribute it becomes, its name on the wire, its shape."""

    name: str
    wire_name: str
    shape: Shape = str
    required: bool = False


@attrs.frozen(eq=False, repr=False)
class Structure(Generic[ModelT_co]):
    """A JSON object and the class it becomes."""

    model: Callable[..., ModelT_co]
    members: tuple[Member, ...]


# A shape is `str` itself, a list or a structure. (Union, not `|`: it is evaluated, with forward references, on 3.10.)
Shape = Union[type[str], ListOf, "Structure[object]"]


class Paging(NamedTuple):
    """Which arguments and members drive pagination, by their Python names."""

    input_token: str
    output_token: str
    limit: str
    items: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Operation(Generic[OutputT_co]):
    """One operation of the service.

    Attributes:
        path: the path template, with `{wireName}` for each argument that goes into the path.
        errors: the codes that the model lists for it. What it says of them holds; others are judged by their status.
        read_only: repeating it changes nothing, so it may be sent again after any failure.
    """

    name: str
    method: str
    path: str
    inputs: tuple[Input, ...]
    output: Structure[OutputT_co]
    paging: Paging
    errors: frozenset[str]
    read_only: bool
