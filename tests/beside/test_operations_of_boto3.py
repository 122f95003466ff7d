"""The requests and outputs of every operation, compared with boto3's for the same call and response."""

from __future__ import annotations

import datetime as dt
import functools
import json
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from novaact_http import AsyncClient, Client, models
from novaact_http._operations import shapes
from novaact_http._operations.shapes import wire_name
from tests.helpers.answers import response
from tests.helpers.both_clients import FACES, Face
from tests.helpers.boto3_oracle import Boto3Wire
from tests.helpers.calls import KEYS, mocked
from tests.helpers.flows import attempt, context, finish, new_flow, request_of
from tests.helpers.operations import OPERATIONS, iterator_name, method_name

boto3_wire = functools.cache(Boto3Wire)

EVERY = pytest.mark.parametrize("name", OPERATIONS)
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
labels = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).filter(
    lambda each: each not in (".", "..")
)
keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
documents = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
moments = st.integers(86_400 * 10**6, 4 * 10**15).map(
    lambda each: dt.datetime.fromtimestamp(0, dt.timezone.utc) + dt.timedelta(microseconds=each)
)


@functools.cache
def sent(shape: Any) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one for each kind
    """Return values that boto3 takes for a shape."""
    if isinstance(shape, shapes.Union):
        (member,) = shape.members
        return sent(member.shape).filter(lambda each: each is not None).map(lambda each: {member.wire_name: each})
    if isinstance(shape, shapes.Structure):
        return given_members(shape.members)
    if isinstance(shape, shapes.ListOf):
        return st.lists(sent(shape.element), min_size=shape.minimum, max_size=shape.minimum + 2)
    if isinstance(shape, shapes.Label):
        return labels
    if isinstance(shape, shapes.Enumeration):
        return st.sampled_from([each.value for each in shape.members]) | text
    if isinstance(shape, shapes.String):
        return st.text(
            st.characters(exclude_categories=["Cs"]), min_size=shape.minimum, max_size=max(12, shape.minimum + 3)
        )
    if isinstance(shape, shapes.Integer):
        return st.integers(-(2**63) + 1 if shape.minimum is None else shape.minimum, 2**63 - 1)
    return documents


def given_members(members: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return members in our order, as boto3 writes them in the order of its arguments."""
    order = [each.wire_name for each in members]
    return st.fixed_dictionaries(
        {each.wire_name: sent(each.shape) for each in members if each.required},
        optional={each.wire_name: sent(each.shape) for each in members if not each.required},
    ).map(lambda given: dict(sorted(given.items(), key=lambda item: order.index(item[0]))))


@functools.cache
def calls(operation: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return arguments of a call of boto3's, with a token, which it would make up otherwise."""
    inputs = [each._replace(required=each.required or each.name == operation.token) for each in operation.inputs]
    return given_members(inputs)


def ours(shape: Any, value: Any) -> Any:
    """Return our value for one of boto3's."""
    if isinstance(shape, shapes.Structure):
        return shape.model(**our_members(shape.members, value))
    if isinstance(shape, shapes.ListOf):
        return tuple(ours(shape.element, each) for each in value)
    return value


def our_members(members: Any, values: dict[str, Any]) -> dict[str, Any]:
    return {each.name: ours(each.shape, values[each.wire_name]) for each in members if each.wire_name in values}


@functools.cache
def returned(shape: Any) -> st.SearchStrategy[Any]:
    """Return values in JSON that the service may return for a shape."""
    if isinstance(shape, shapes.Structure):
        required = {each.wire_name: returned(each.shape) for each in shape.members if each.required}
        optional = {each.wire_name: returned(each.shape) for each in shape.members if not each.required}
        known = st.fixed_dictionaries(required, optional=optional)
        return st.tuples(st.dictionaries(st.sampled_from(["other", "more"]), documents, max_size=1), known).map(
            lambda two: {**two[0], **two[1]}
        )
    if isinstance(shape, shapes.ListOf):
        return st.lists(returned(shape.element), max_size=3)
    if isinstance(shape, shapes.Timestamp):
        return (
            moments.map(lambda each: each.isoformat().replace("+00:00", "Z"))
            | moments.map(lambda each: each.isoformat())
            | moments.map(dt.datetime.timestamp)
            | st.integers(0, 2**32)
        )
    if isinstance(shape, shapes.Document):
        return documents
    return sent(shape)


def target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}{'?' if parts.query else ''}{parts.query}"


def text_of(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


@EVERY
@given(data=st.data())
def test_the_request_of_any_call_equals_boto3s(name: str, data: Any) -> None:
    operation = OPERATIONS[name]
    arguments = data.draw(calls(operation))
    theirs = boto3_wire().request(method_name(name), arguments)
    request = request_of(our_members(operation.inputs, arguments), KEYS, operation)
    assert (request.method, request.target, request.body) == (theirs.method, target(theirs.url), theirs.body or b"")
    headers = {each.lower(): value for each, value in request.headers}
    expected = {each.lower(): text_of(value) for each, value in theirs.headers.items()}
    for each in ("content-type", "content-length", "x-amz-date", "authorization"):
        assert headers.get(each) == expected.get(each), each


@EVERY
@given(data=st.data())
def test_the_output_of_any_response_equals_boto3s(name: str, data: Any) -> None:
    operation = OPERATIONS[name]
    arguments: dict[str, Any] = {each.wire_name: "a" * 33 for each in operation.inputs if each.required}
    headers = data.draw(st.sampled_from([{}, {"x_amzn_requestid": "an id"}]))
    answer = response(200, data.draw(returned(operation.output)), **headers)
    call: dict[str, Any] = {
        "ListModels": {"clientCompatibilityVersion": 1},
        "CreateWorkflowRun": {**arguments, "clientInfo": {"compatibilityVersion": 1}},
        "InvokeActStep": {**arguments, "callResults": [{"content": [{"text": "a"}]}]},
    }.get(name, arguments)
    theirs = boto3_wire().result(method_name(name), call, answer)
    theirs["ResponseMetadata"].pop("MaxAttemptsReached", None)  # as the oracle makes one attempt
    flow = new_flow(context(), our_members(operation.inputs, call), operation)
    attempt(flow)
    assert models.as_dict(finish(flow, answer)) == theirs


@EVERY
def test_both_clients_have_a_method_that_takes_what_the_operation_takes(name: str) -> None:
    import inspect

    operation = OPERATIONS[name]
    for client in (Client, AsyncClient):
        signature = inspect.signature(getattr(client, method_name(name)))
        found = {
            each.name: each.default is inspect.Parameter.empty
            for each in signature.parameters.values()
            if each.name != "self"
        }
        assert found == {each.name: each.required for each in operation.inputs}
        assert all(
            each.kind is inspect.Parameter.KEYWORD_ONLY for each in signature.parameters.values() if each.name != "self"
        )
        assert signature.return_annotation == operation.output.model.__name__


@EVERY
@given(data=st.data())
@settings(max_examples=5)
def test_a_method_sends_what_it_was_given(name: str, data: Any) -> None:
    operation = OPERATIONS[name]
    arguments = our_members(operation.inputs, data.draw(calls(operation)))
    body = json.dumps(data.draw(returned(operation.output))).encode()
    expected = request_of(arguments, KEYS, operation, endpoint_url="http://127.0.0.1:9")
    found: list[tuple[str, bytes, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        found.append((request.method, request.url.raw_path, request.content))
        return httpx.Response(200, content=body)

    for face in FACES:
        output = face().call(method_name(name), mocked(answer), **arguments)
        assert type(output) is operation.output.model
    assert found == [(expected.method, expected.target.encode(), expected.body)] * 2


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each.paging])
def test_a_listing_passes_on_what_it_was_given(name: str, face: Face) -> None:
    operation = OPERATIONS[name]
    set_by_pager = {operation.paging.input_token, operation.paging.limit}
    arguments = {each.name: "Ascending" for each in operation.inputs if each.name not in set_by_pager}
    expected = request_of({**arguments, "max_results": 5, "next_token": "t"}, KEYS, operation)
    sent: list[tuple[str, bytes]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append((request.url.raw_path.decode(), request.content))
        return httpx.Response(200, json={wire_name(operation.paging.items): []})

    paging = {"page_size": 5, "max_items": 7, "starting_token": "t", "total": 60}
    listed = face.listing(iterator_name(name), mocked(answer), **arguments, **paging)
    assert listed == []
    assert sent == [(expected.target, expected.body)]
