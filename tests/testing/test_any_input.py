"""Whatever a request with a valid signature has in it, the local service answers as the service would."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from novaact_http._operations.service_errors import ERRORS
from novaact_http.testing import LocalService
from recorded_cases import ARGUMENTS, NOW, WORLD
from tests.helpers.operations import OPERATIONS, method_name
from tests.helpers.raw_requests import Answered, send, signed_as_given

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.just("x" * 20_000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1) | st.sampled_from(["..", ".", "%", "a" * 300])
bodies = st.binary() | st.sampled_from(
    [
        b"",
        b"[]",
        b"{",
        b'"\xff"',
        b'{"a": NaN}',
        b'{"name": "a", "name": 3}',
        b"[" * 100_000,
        b'{"a":' * 10_000,
        b"1" * 10_000,
        b'{"sortOrder": "\\ud800"}',
    ]
)


@pytest.fixture(scope="module")
def service() -> Any:
    with LocalService(clock=lambda: NOW, definitions={}, record_requests=False) as made:
        made.load(WORLD)
        yield made


def replaced(data: st.DataObject, value: Any) -> Any:
    """Return JSON in which one value, however deep, is another one or is missing."""
    if isinstance(value, (dict, list)) and value and data.draw(st.booleans()):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.integers(0, 4)) == 0:
            del value[key]
        else:
            value[key] = replaced(data, value[key])
        return value
    return data.draw(json_values)


def answer(service: LocalService, method: str, path: str, query: dict[str, str], body: bytes) -> Answered:
    target = path + (f"?{urlencode(query, quote_via=quote)}" if query else "")
    return send(service, signed_as_given(service, method, target, body, now=NOW))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_input_gets_an_answer_of_the_service(
    name: str, service: LocalService, data: st.DataObject, capfd: pytest.CaptureFixture[str]
) -> None:
    operation = OPERATIONS[name]
    required, others = ARGUMENTS[method_name(name)]
    given_members = {**required, **others}
    labels: dict[str, Any] = {}
    query: dict[str, Any] = {}
    body: dict[str, Any] = {}
    for each in operation.inputs:
        value = copy.deepcopy(given_members.get(each.wire_name))
        if value is not None:
            {"path": labels, "query": query, "body": body}[each.location][each.wire_name] = value
    if "actId" in labels:
        labels["actId"] = service.runs[0].workflow_run_id
    kind = data.draw(st.sampled_from(["labels", "query", "body", "bytes"]))
    raw = json.dumps(body).encode() if operation.has_body else b""
    if kind == "labels" and labels:
        labels[data.draw(st.sampled_from(sorted(labels)))] = data.draw(texts)
    elif kind == "query":
        names = [each.wire_name for each in operation.inputs if each.location == "query"]
        query[data.draw(st.sampled_from(names) if names else texts)] = data.draw(texts)
    elif kind == "body":
        raw = json.dumps(replaced(data, body)).encode()
    else:
        raw = data.draw(bodies)
    path = operation.path.format_map({label: quote(value, safe="") for label, value in labels.items()})
    answered = answer(service, operation.method, path, query, raw)
    if answered.status < 300:
        return
    assert answered.status < 500
    assert answered.code in {*ERRORS, "SerializationException", "UnknownOperationException"}
    assert answered.body["message"]
    if answered.code == "ValidationException":
        assert answered.body["reason"]
    assert capfd.readouterr().err == ""
