"""Bad arguments: one `ParameterError` names all of them, and nothing is sent."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import Client, ParameterError
from novaact_http.errors import NovaActError
from tests.helpers.answers import httpx_page
from tests.helpers.calls import CALL, KEYS, mocked

if TYPE_CHECKING:
    import httpx

    from tests.helpers.both_clients import Face

BAD = [
    ("workflow_definition_name", "", "must not be empty"),
    ("workflow_definition_name", ".", "must not be '.'"),
    ("workflow_run_id", "..", "must not be '..'"),
    ("workflow_run_id", "a\nb", "must not have control characters"),
    ("workflow_run_id", "a\x00", "must not have control characters"),
    ("workflow_run_id", "\x7f", "must not have control characters"),
    ("workflow_run_id", "a\x85", "must not have control characters"),
    ("workflow_run_id", "\ud800", "has a lone surrogate"),
    ("workflow_run_id", None, "must be str, not NoneType"),
    ("workflow_run_id", 5, "must be str, not int (5)"),
    ("workflow_run_id", 10**5000, "must be str, not int (...)"),
    ("workflow_run_id", b"x", "must be str, not bytes"),
    ("max_results", 0, "must be at least 1, not 0"),
    ("max_results", -(10**5000), "must be at least 1"),
    ("max_results", 10**5000, "must fit into 64 bits"),
    ("max_results", 2**63, "must fit into 64 bits"),
    ("workflow_run_id", "\x9f", "must not have control characters"),
    ("max_results", True, "must be int, not bool (True)"),
    ("max_results", "5", "must be int, not str ('5')"),
    ("max_results", 5.0, "must be int, not float"),
    ("next_token", "", "must not be empty"),
    ("next_token", "\udfff", "has a lone surrogate"),
    ("next_token", 5, "must be str, not int"),
    ("sort_order", "\ud800", "has a lone surrogate"),
    ("sort_order", 1, "must be str, not int"),
]


def _never(request: httpx.Request) -> httpx.Response:
    pytest.fail(f"{request} was sent")


@pytest.mark.parametrize(("name", "value", "problem"), BAD, ids=map(str, range(len(BAD))))
def test_a_bad_argument_is_named_and_nothing_is_sent(face: Face, name: str, value: object, problem: str) -> None:
    with pytest.raises(ParameterError) as caught:
        face.page(mocked(_never), **{**CALL, name: value})
    assert f"{name} {problem}" in str(caught.value)
    assert [each.argument for each in caught.value.problems] == [name]
    assert caught.value.problems[0].message.startswith(problem)
    str(caught.value).encode()  # it can always be printed


def test_all_bad_arguments_are_named_at_once(face: Face) -> None:
    with pytest.raises(ParameterError) as caught:
        face.page(mocked(_never), workflow_definition_name=1, workflow_run_id="..", max_results=0, sort_order=2)
    for name in ("workflow_definition_name", "workflow_run_id", "max_results", "sort_order"):
        assert name in str(caught.value)


def test_a_parameter_error_is_a_value_error_too() -> None:
    assert issubclass(ParameterError, ValueError)
    assert issubclass(ParameterError, NovaActError)


@pytest.mark.parametrize("arguments", [{}, {"workflow_definition_name": "a"}, {**CALL, "max_items": 5}])
def test_missing_and_unknown_arguments_are_pythons_type_error(face: Face, arguments: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        face.page(mocked(_never), **arguments)


def test_positional_arguments_are_pythons_type_error() -> None:
    with Client(**mocked(_never)) as client, pytest.raises(TypeError):
        client.list_sessions("a", "b")  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", 0),
        ("page_size", True),
        ("max_items", -1),
        ("max_items", "1"),
        ("starting_token", ""),
        ("sort_order", 1),
    ],
)
def test_a_listing_checks_its_arguments_before_it_starts(face: Face, name: str, value: object) -> None:
    with pytest.raises(ParameterError, match=f"{name} must .*workflow_run_id must|workflow_run_id must .*{name} must"):
        face.items(mocked(_never), workflow_definition_name="a", workflow_run_id="", **{name: value})


def test_a_secret_passed_by_mistake_is_not_shown(face: Face) -> None:
    for name in ("workflow_run_id", "starting_token", "sort_order"):
        with pytest.raises(ParameterError, match=f"{name} must be str, not Credentials") as caught:
            face.items(mocked(_never), **{**CALL, name: KEYS})
        assert KEYS.secret_access_key[:6] not in str(caught.value)


class Size(enum.IntEnum):
    TEN = 10


class Name(str, enum.Enum):
    CHECKOUT = "checkout"


def test_enums_are_sent_as_their_values(face: Face) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.raw_path == b"/workflow-definitions/checkout/workflow-runs/r?maxResults=10"
        return httpx_page()

    face.page(mocked(answer), workflow_definition_name=Name.CHECKOUT, workflow_run_id="r", max_results=Size.TEN)
