"""What botocore's service model says of requests and responses: routes, places of members, limits, errors.

Nothing here knows what an operation does, or one operation from another.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from novaact_http._needed_packages import needed
from novaact_http.testing._argument_checks import ArgumentError, check_number
from novaact_http.testing._local_service.http_messages import error, success

with needed("botocore", by="the local service"):
    from botocore import xform_name
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from botocore.model import OperationModel

    from novaact_http.testing._local_service.http_messages import Answer, ReceivedRequest

_REQUIRED = "Value is required."


@cache
def model() -> ServiceModel:
    """Return the service model."""
    return ServiceModel(Loader().load_service_model("nova-act", "service-2"))


class Route(NamedTuple):
    """The operation that a request is for, and the segments of its path, still encoded."""

    operation: OperationModel
    labels: Mapping[str, str]


class ServiceCall:
    """A request as the call of an operation.

    Attributes:
        status_code (int | None): the status of the answer, also if that was lost; None if the request was not answered.
        error_code (str | None): the code of the error, or None.
    """

    def __init__(self, route: Route | None, request: ReceivedRequest, answer: Answer | None) -> None:
        self._route = route
        self._request = request
        self.status_code = None if answer is None else answer.status
        self.error_code = None if answer is None else answer.headers.get("x-amzn-ErrorType")

    def __repr__(self) -> str:
        return f"ServiceCall({self.operation}, {self.arguments}, {self.error_code or self.status_code})"

    @property
    def operation(self) -> str | None:
        """The operation's name, such as `"CreateAct"`; None if there is no such operation."""
        return None if self._route is None else self._route.operation.name

    @property
    def arguments(self) -> dict[str, Any]:
        """What the request has for the operation's members, by their names in Python; empty if it cannot be read."""
        if self._route is not None:
            with contextlib.suppress(ValueError, RecursionError):
                values = bind(self._route, self._request.target.partition("?")[2], self._request.body)
                return {xform_name(name): each for name, each in values.items()}
        return {}

    @property
    def access_key_id(self) -> str | None:
        """Who signed it; None if it is not signed."""
        signed = re.search(r"Credential=([^/,\s]+)", self._request.header("Authorization") or "")
        return None if signed is None else signed[1]


@cache
def _routes() -> list[tuple[str, re.Pattern[str], OperationModel]]:
    found = []
    for name in model().operation_names:
        operation = model().operation_model(name)
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", operation.http["requestUri"])
        found.append((operation.http["method"], re.compile(pattern), operation))
    return found


def find_route(method: str, path: str) -> Route | None:
    """Return what a request is for, or None if there is no such operation."""
    for each, pattern, operation in _routes():
        if each == method and (match := pattern.fullmatch(path)):
            return Route(operation, match.groupdict())
    return None


def bind(route: Route, query: str, body: bytes) -> dict[str, Any]:
    """Return the members of a request, each taken only from the place that the model gives it.

    Integers of the query stay text, until `problems` has looked at them.

    Raises:
        ValueError, RecursionError: the request cannot be read.
    """
    parameters = dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
    members = route.operation.input_shape.members
    places = {name: shape.serialization.get("location") for name, shape in members.items()}
    in_body: dict[str, Any] = {}
    if None in places.values():
        parsed = json.loads(body)
        if not isinstance(parsed, dict):
            raise ValueError("not an object")
        in_body = parsed
    values: dict[str, Any] = {}
    for name, place in places.items():
        if place == "uri":
            value: Any = unquote(route.labels[name], errors="strict")
        else:
            value = parameters.get(name) if place == "querystring" else in_body.get(name)
        if value is not None:
            values[name] = value
    return values


def problems(operation: OperationModel, values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how the members of a request break the model's limits: the path of each bad value, and what is wrong."""
    shape = operation.input_shape
    found = [(name, _REQUIRED) for name in shape.required_members if name not in values]
    for name, value in values.items():
        member = shape.members[name]
        is_text = member.serialization.get("location") == "querystring"
        found += _problems(member, value, name, is_text=is_text)
    return found


def problem(shape: Any, value: object) -> str | None:
    """Return the first way in which a value breaks the limits of a shape, or None."""
    return next((text for _, text in _problems(shape, value, "", is_text=False)), None)


def _problems(shape: Any, value: Any, where: str, *, is_text: bool) -> Iterator[tuple[str, str]]:
    if _is_document(shape):
        return
    if shape.type_name == "structure":
        yield from _problems_of_structure(shape, value, where)
    elif shape.type_name == "list":
        if not isinstance(value, list):
            yield where, "Value must be a list."
            return
        yield from _problems_of_size(shape, len(value), " elements", where)
        for number, each in enumerate(value):
            yield from _problems(shape.member, each, f"{where}[{number}]", is_text=False)
    elif shape.type_name == "integer":
        is_integer = re.fullmatch(r"-?[0-9]{1,9}", value) if is_text else type(value) is int and abs(value) < 2**31
        if is_integer:
            yield from _problems_of_size(shape, int(value), "", where)
        else:
            yield where, "Value must be an integer."
    elif not isinstance(value, str):
        yield where, "Value must be a string."
    else:
        yield from _problems_of_text(shape, value, where)


def _is_document(shape: Any) -> bool:
    return bool(getattr(shape, "is_document_type", False))


def _problems_of_structure(shape: Any, value: Any, where: str) -> Iterator[tuple[str, str]]:
    if not isinstance(value, dict):
        yield where, "Value must be an object."
        return
    given = {name: value[name] for name in shape.members if value.get(name) is not None}
    if getattr(shape, "is_tagged_union", False) and len(given) != 1:
        yield where, f"Exactly one of {', '.join(shape.members)} must be given."
    for name in shape.required_members:
        if name not in given:
            yield f"{where}.{name}", _REQUIRED
    for name, each in given.items():
        yield from _problems(shape.members[name], each, f"{where}.{name}", is_text=False)


def _problems_of_text(shape: Any, value: str, where: str) -> Iterator[tuple[str, str]]:
    limits = shape.metadata
    sized = list(_problems_of_size(shape, len(value), " characters", where))
    if sized:
        yield from sized
    elif not re.fullmatch(limits.get("pattern", "(?s:.*)"), value):
        yield where, f"Value must satisfy the pattern {limits['pattern']}."
    elif "enum" in limits and value not in limits["enum"]:
        yield where, f"Value must be one of {', '.join(limits['enum'])}."


def _problems_of_size(shape: Any, size: int, unit: str, where: str) -> Iterator[tuple[str, str]]:
    limits = shape.metadata
    if not limits.get("min", size) <= size <= limits.get("max", size):
        yield where, f"Value must be from {limits.get('min')} to {limits.get('max')}{unit}."


def with_integers(operation: OperationModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a request that has no problems, with its integers as such."""
    members = operation.input_shape.members
    return {name: int(each) if members[name].type_name == "integer" else each for name, each in values.items()}


def output(operation: OperationModel, members: Mapping[str, Any]) -> Answer:
    """Return a success of an operation, with its status.

    What is None is left out, but a document may be null. Moments are seconds as yet.
    """
    render = _renderer(operation.output_shape)
    return success(members if render is None else render(members), operation.http["responseCode"])


@cache
def _renderer(shape: Any) -> Callable[[Any], Any] | None:
    """Return the function that makes JSON of a shape's values; None if they are JSON already."""
    if shape.type_name == "list":
        render_element = _renderer(shape.member)
        return None if render_element is None else lambda values: [render_element(each) for each in values]
    if shape.type_name == "timestamp":
        return _render_timestamp
    if shape.type_name != "structure" or _is_document(shape):
        return None
    members = [(name, _renderer(member), _is_document(member)) for name, member in shape.members.items()]
    is_plain = all(render_member is None and not may_be_null for _, render_member, may_be_null in members)
    if is_plain and len(shape.required_members) == len(members):
        return None  # with nothing to leave out

    def render(values: Mapping[str, Any]) -> dict[str, Any]:
        rendered = {}
        for name, render_member, may_be_null in members:
            value = values.get(name)
            if value is not None:
                rendered[name] = value if render_member is None else render_member(value)
            elif may_be_null and name in values:
                rendered[name] = None
        return rendered

    return render


def _render_timestamp(seconds: float) -> str:
    moment = dt.datetime.fromtimestamp(seconds, dt.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def modelled_error(code: str, message: str, **members: object) -> Answer:
    """Return an error of the service model, with its status, and its members where the model puts them.

    Args:
        code: the error code, such as `"ThrottlingException"`.
        message: the service's message.
        members: the error's members, by their names on the exception. Required ones that are missing get an example.

    Raises:
        ValueError: the code is not in the model, or a number is not valid.
        TypeError: the error has no such member.
    """
    shapes = {each.name: each for each in model().error_shapes}
    if code not in shapes:
        known = ", ".join(sorted(shapes))
        raise ArgumentError(
            code,
            f"is not an error of the service model, which has {known}",
            "use answer_next() for any other response",
        )
    shape = shapes[code]
    names = {xform_name(name): name for name in shape.members}
    unknown = members.keys() - names.keys()
    if unknown:
        raise TypeError(f"{code} has no {', '.join(sorted(unknown))}, only {', '.join(sorted(names))}")
    body: dict[str, object] = {"message": message}
    headers: dict[str, str] = {}
    for name, wire_name in names.items():
        if name in members and shape.members[wire_name].type_name == "integer":
            check_number(name, members[name], minimum=0, whole=True)
        location = shape.members[wire_name].serialization
        if location.get("location") == "header":
            if name in members:
                headers[location["name"]] = str(members[name])
        elif name in members or wire_name in shape.required_members:
            body[wire_name] = members.get(name, body.get(wire_name, f"example-{wire_name}"))
    return error(shape.metadata["error"]["httpStatusCode"], code, body, headers)


def invalid(found: list[tuple[str, str]]) -> Answer:
    """Return the error for a request whose members have these problems."""
    return modelled_error(
        "ValidationException",
        "; ".join(f"{where}: {text}" for where, text in found),
        reason="FieldValidationFailed",
        field_list=[{"name": where, "message": text} for where, text in found],
    )
