"""Every operation is what botocore's service model says. What the model has in addition is shown by `make drift`."""

from __future__ import annotations

import functools
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from botocore.loaders import Loader
from botocore.session import get_session

from novaact_http._operations import service_errors, shapes
from tests.helpers.operations import OPERATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from botocore.model import OperationModel, ServiceModel

LOCATIONS = {"uri": "path", "querystring": "query", None: "body"}
IDEMPOTENT = ("Create", "Delete", "Get", "List", "Update")


@functools.cache
def model() -> ServiceModel:
    return get_session().get_service_model("nova-act")


@functools.cache
def paginators() -> dict[str, Any]:
    found: dict[str, Any] = Loader(include_default_search_paths=True).load_service_model("nova-act", "paginators-1")
    return found["pagination"]  # type: ignore[no-any-return]


def is_sensitive(shape: Any) -> bool:
    return bool(shape.metadata.get("sensitive"))


def model_minimum(shape: Any) -> Any:
    return shape.metadata.get("min", 0 if shape.type_name in ("string", "list") else None)


def members_of_model(members: Iterable[tuple[str, Any]], required: Iterable[str], *, sent: bool) -> dict[str, Any]:
    """Describe the members of a structure of the model."""
    return {
        name: {
            "shape": of_model(shape, sent=sent),
            "required": name in required,
            "sensitive": is_sensitive(shape),
        }
        for name, shape in members
    }


def of_model(shape: Any, *, sent: bool) -> Any:
    """Describe a shape of the model. Minima and sensitive structures count only where a value is sent."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return "document"
    if kind == "structure":
        members = members_of_model(shape.members.items(), shape.required_members, sent=sent)
        if is_sensitive(shape):  # then all of its members are
            members = {name: {**each, "sensitive": True} for name, each in members.items()}
        return ("union" if getattr(shape, "is_tagged_union", False) else "structure", members)
    if kind == "list":
        return ("list", of_model(shape.member, sent=sent), model_minimum(shape) if sent else 0)
    if kind == "string" and getattr(shape, "enum", None):
        return ("enumeration", frozenset(shape.enum))
    if kind in ("string", "integer"):
        token = "token" if shape.metadata.get("idempotencyToken") else kind
        return (token, model_minimum(shape) if sent else (0 if kind == "string" else None))
    return kind


def ours(shape: Any) -> Any:
    """Describe a shape of ours in the same way."""
    if isinstance(shape, shapes.Structure):
        kind = "union" if isinstance(shape, shapes.Union) else "structure"
        members = {
            each.wire_name: {"shape": ours(each.shape), "required": each.required, "sensitive": each.sensitive}
            for each in shape.members
        }
        return kind, members
    if isinstance(shape, shapes.ListOf):
        return "list", ours(shape.element), shape.minimum
    if isinstance(shape, shapes.Enumeration):
        return "enumeration", frozenset(each.value for each in shape.members)
    if isinstance(shape, (shapes.String, shapes.Integer)):
        kind = {shapes.Token: "token", shapes.Integer: "integer"}.get(type(shape), "string")
        return kind, shape.minimum
    return {shapes.Timestamp: "timestamp", shapes.Document: "document"}[type(shape)]


def inputs_of_model(operation: OperationModel) -> dict[str, Any]:
    shape = operation.input_shape
    described = {}
    for name, each in shape.members.items():
        location = LOCATIONS[each.serialization.get("location")]
        assert each.serialization.get("name", name) == name
        of_it = of_model(each, sent=True)
        if location == "path":
            of_it = ("string", 1)  # empty, it would reach another operation
        sensitive = is_sensitive(each)
        required = name in shape.required_members
        described[name] = {"location": location, "shape": of_it, "required": required, "sensitive": sensitive}
    return described


def our_inputs(operation: Any) -> dict[str, Any]:
    return {
        each.wire_name: {
            "location": each.location,
            "shape": ours(each.shape),
            "required": each.required,
            "sensitive": each.sensitive,
        }
        for each in operation.inputs
    }


def output_of_model(operation: OperationModel) -> Any:
    return of_model(operation.output_shape, sent=False)


def without_minima(described: Any) -> Any:
    """Drop what counts only where a value is sent: a structure of ours may be in inputs and outputs."""
    if isinstance(described, dict):
        return {name: without_minima(each) for name, each in described.items()}
    if isinstance(described, tuple):
        kind, *rest = described
        if kind in ("string", "integer"):
            return kind
        return (kind, *map(without_minima, rest[:1] if kind == "list" else rest))
    return described


class Difference(NamedTuple):
    """How an operation of ours differs from the model.

    Attributes:
        text: where, and in what.
        is_new: whether it is only something that the model has in addition, and that calls of ours can do without.
    """

    text: str
    is_new: bool = False


def compared(where: str, found: Any, expected: Any) -> Iterator[Difference]:
    """Compare descriptions: of members by their names, of structures, lists and enumerations by what is in them."""
    if isinstance(found, dict) and isinstance(expected, dict):
        yield from compared_members(where, found, expected)
    elif isinstance(found, frozenset) and isinstance(expected, frozenset):
        for each in sorted(found ^ expected):
            yield Difference(f"{where} {'lacks' if each in expected else 'has'} {each}", is_new=each in expected)
    elif isinstance(found, tuple) and isinstance(expected, tuple) and len(found) == len(expected):
        for one, other in zip(found, expected, strict=True):
            yield from compared(where, one, other)
    elif found != expected:
        yield Difference(f"{where} is {found}, not {expected}")


def compared_members(where: str, found: dict[str, Any], expected: dict[str, Any]) -> Iterator[Difference]:
    for name in sorted(found.keys() | expected.keys()):
        inner = f"{where}.{name}"
        if name not in found:
            is_needed = where.startswith("inputs") and expected[name]["required"]
            yield Difference(f"{inner} is missing", is_new=not is_needed)
        elif name not in expected:
            yield Difference(f"{inner} is not in the model")
        else:
            for aspect, value in expected[name].items():
                yield from compared(inner, found[name][aspect], value)


def differences(operation: Any) -> list[Difference]:
    """Return how an operation of ours differs from the model."""
    theirs = model().operation_model(operation.name)
    pages, ours_of_pages = paginators().get(operation.name), operation.paging
    expected = {
        "http": f"{theirs.http['method']} {theirs.http['requestUri']}",
        "inputs": inputs_of_model(theirs),
        "output": without_minima(output_of_model(theirs)),
        "errors": frozenset(each.name for each in theirs.error_shapes),
        "repeatable": operation.name.startswith(IDEMPOTENT),
        "paging": pages and (pages["result_key"], pages["input_token"], pages["output_token"], pages["limit_key"]),
    }
    found = {
        "http": operation.http,
        "inputs": our_inputs(operation),
        "output": without_minima(ours(operation.output)),
        "errors": operation.errors,
        "repeatable": operation.repeatable,
        "paging": ours_of_pages
        and tuple(
            shapes.wire_name(getattr(ours_of_pages, each)) for each in ("items", "input_token", "output_token", "limit")
        ),
    }
    return [each for name in expected for each in compared(name, found[name], expected[name])]


def news() -> list[str]:
    """Return what the model has and we have not."""
    new = [f"{name} is missing" for name in sorted(set(model().operation_names) - set(OPERATIONS))]
    for name, operation in OPERATIONS.items():
        new += [f"{name}: {each.text}" for each in differences(operation) if each.is_new]
    return new


@pytest.mark.parametrize("operation", OPERATIONS.values(), ids=OPERATIONS.keys())
def test_an_operation_has_nothing_that_the_service_model_has_not(operation: Any) -> None:
    assert [each for each in differences(operation) if not each.is_new] == []


def test_there_is_no_operation_that_the_service_model_has_not() -> None:
    assert set(OPERATIONS) <= set(model().operation_names)
    assert {name for name, each in OPERATIONS.items() if each.paging} <= set(paginators())


def test_what_is_new_in_the_service_model_is_no_failure_but_can_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    before = news()
    old = {
        "CreateWorkflowRun": RUN.replace(inputs=tuple(each for each in RUN.inputs if each.name != "client_token")),
        "ListActs": LISTING.replace(errors=LISTING.errors - {"ThrottlingException"}),
    }
    for name, operation in old.items():
        monkeypatch.setitem(OPERATIONS, name, operation)
    monkeypatch.delitem(OPERATIONS, "ListModels")
    assert sorted(set(news()) - set(before)) == [
        "CreateWorkflowRun: inputs.clientToken is missing",
        "ListActs: errors lacks ThrottlingException",
        "ListModels is missing",
    ]


class Other(str, Enum):
    A = "A"


RUN = OPERATIONS["CreateWorkflowRun"]
ACT = OPERATIONS["CreateAct"]
LISTING = OPERATIONS["ListActs"]
DEFINITION = OPERATIONS["GetWorkflowDefinition"]
STATUS = shapes.Enumeration(Other)


def changed_input(operation: Any, name: str, **changes: Any) -> Any:
    inputs = tuple(each._replace(**changes) if each.name == name else each for each in operation.inputs)
    return operation.replace(inputs=inputs)


def changed_output(operation: Any, name: str, **changes: Any) -> Any:
    members = tuple(each._replace(**changes) if each.name == name else each for each in operation.output.members)
    return operation.replace(output=shapes.Structure(operation.output.model, members))


@pytest.mark.parametrize(
    ("changed", "aspect"),
    [
        (RUN.replace(http="PUT /workflow-definitions/{workflowDefinitionName}/runs"), "http"),
        (RUN.replace(http=RUN.http.replace("PUT", "POST")), "http"),
        (changed_input(RUN, "model_id", location="query"), "inputs"),
        (changed_input(RUN, "model_id", required=False), "inputs"),
        (changed_input(RUN, "model_id", wire_name="model"), "inputs"),
        (changed_input(RUN, "model_id", shape=shapes.INTEGER), "inputs"),
        (changed_input(RUN, "model_id", shape=shapes.STRING), "inputs"),
        (changed_input(RUN, "client_token", shape=shapes.String(minimum=33)), "inputs"),
        (changed_input(ACT, "task", sensitive=False), "inputs"),
        (changed_input(ACT, "tool_specs", shape=shapes.ListOf(shapes.STRING)), "inputs"),
        (changed_input(LISTING, "sort_order", shape=STATUS), "inputs"),
        (RUN.replace(inputs=tuple(each for each in RUN.inputs if each.name != "model_id")), "inputs"),
        (changed_output(DEFINITION, "description", sensitive=False), "output"),
        (changed_output(DEFINITION, "created_at", shape=shapes.STRING), "output"),
        (changed_output(DEFINITION, "status", shape=STATUS), "output"),
        (changed_output(DEFINITION, "arn", required=False), "output"),
        (RUN.replace(errors=RUN.errors | {"Other"}), "errors"),
        (RUN.replace(repeatable=False), "repeatable"),
        (LISTING.replace(paging=None), "paging"),
        (LISTING.replace(paging=shapes.Paging(items="acts")), "paging"),
    ],
)
def test_a_difference_of_any_kind_is_seen(changed: Any, aspect: str) -> None:
    found = [each.text for each in differences(changed) if not each.is_new]
    assert found
    assert all(each.startswith(aspect) for each in found)


def test_the_errors_of_operations_are_known() -> None:
    assert frozenset().union(*(each.errors for each in OPERATIONS.values())) == set(service_errors.ERRORS)


if __name__ == "__main__":  # make drift
    print("\n".join(news()) or "nothing is new in the service model")  # noqa: T201
