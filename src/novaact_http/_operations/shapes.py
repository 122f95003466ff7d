"""What operations are made of: where each argument goes in the request, the shape of the response, the errors.

Pure declaration: another operation of the service needs another value and its models, but no code. All facts are from
the service model `nova-act/2025-08-22`.
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
    """The output of every operation: a model that also has the response's metadata."""

    @property
    def metadata(self) -> ResponseMetadata:
        """Request id, status, headers and attempts."""
        ...


class Input(NamedTuple):
    """One argument of an operation.

    Attributes:
        name: the name of the Python argument.
        wire_name: the service's name for it.
        location: where it goes in the request; `"client"` if it is not sent but tells the client what to do.
        kind: `str` or `int`.
        minimum: the least length of a str, or the least value of an int. The service judges all other limits.
    """

    name: str
    wire_name: str
    location: Literal["path", "query", "body", "client"]
    kind: type[str | int] = str
    minimum: int | None = None

    @property
    def required(self) -> bool:
        """Whether it must be given: all parts of the path must, and nothing else."""
        return self.location == "path"


@attrs.frozen(eq=False, repr=False)
class ListOf:
    """A JSON array whose elements all have one shape."""

    element: Shape


class Member(NamedTuple):
    """One member of a JSON object: the attribute that it becomes, its name on the wire, its shape."""

    name: str
    wire_name: str
    shape: Shape = str
    required: bool = False


@attrs.frozen(eq=False, repr=False)
class Structure(Generic[ModelT_co]):
    """A JSON object, and the class that it becomes."""

    model: Callable[..., ModelT_co]
    members: tuple[Member, ...]


# A shape is `str` itself, a list or a structure. Union, not `|`, as Python 3.10 cannot evaluate that with a forward
# reference.
Shape = Union[type[str], ListOf, "Structure[object]"]


class Paging(NamedTuple):
    """The arguments and members that pagination uses, by their Python names."""

    input_token: str
    output_token: str
    limit: str
    items: str


@attrs.frozen(kw_only=True, eq=False, repr=False)
class Operation(Generic[OutputT_co]):
    """One operation of the service.

    Attributes:
        path: the path template, with `{wireName}` for each argument that goes into the path.
        errors: the codes that the model lists for the operation. The model says what kind of failure each of them is;
            for other codes the status does.
        read_only: whether it changes nothing, so that it may be sent again after any failure.
    """

    name: str
    method: str
    path: str
    inputs: tuple[Input, ...]
    output: Structure[OutputT_co]
    paging: Paging
    errors: frozenset[str]
    read_only: bool
