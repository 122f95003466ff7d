"""An operation that the library does not know needs its value and models, and no code."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import httpx
import pytest

from novaact_http import AsyncClient, Client, ParameterError, ResponseError, RetryPolicy
from novaact_http._clients.pagers import AsyncPager, Options, Pager
from novaact_http._operations.common import ResponseMetadata, SortOrder
from novaact_http._operations.service_errors import OF_MOST
from novaact_http._operations.shapes import (
    PAGE,
    TIMESTAMP,
    Enumeration,
    ListOf,
    Operation,
    Paging,
    body,
    path,
    query,
    structure,
)
from novaact_http._support.late_attrs import ValueObject, field, frozen
from tests.helpers.calls import OPTIONS, mocked


@frozen(kw_only=True, eq=False, repr=False)
class Robot(ValueObject):
    """Part of both outputs."""

    robot_id: str
    built_at: dt.datetime
    nick_name: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class GetRobotResponse(ValueObject):
    """An output."""

    robot: Robot
    metadata: ResponseMetadata = field(repr=False)


@frozen(kw_only=True, eq=False, repr=False)
class ListRobotsResponse(ValueObject):
    """An output with pages."""

    robot_list: tuple[Robot, ...]
    next_token: str | None = None
    metadata: ResponseMetadata = field(repr=False)


ROBOT = structure(Robot, built_at=TIMESTAMP)
GET_ROBOT = Operation(
    name="GetRobot",
    http="GET /halls/{hallName}/robots/{robotId}",
    inputs=(path("hall_name"), path("robot_id")),
    output=structure(GetRobotResponse, robot=ROBOT),
    errors=OF_MOST,
)
LIST_ROBOTS = Operation(
    name="ListRobots",
    http="POST /halls/{hallName}/robots",
    inputs=(path("hall_name"), query("robot_kind"), *PAGE, body("sort_order", Enumeration(SortOrder))),
    output=structure(ListRobotsResponse, robot_list=ListOf(ROBOT)),
    errors=OF_MOST,
    paging=Paging(items="robot_list"),
)
REGISTRY = {"get_robot": GET_ROBOT, "list_robots": LIST_ROBOTS}


class RobotClient(Client):
    """A client with methods for them."""

    def get_robot(self, **arguments: Any) -> GetRobotResponse:
        return self._call(GET_ROBOT, arguments)

    def iter_robots(self, *, hall_name: str) -> Pager[ListRobotsResponse, Robot]:
        return Pager(self._call, LIST_ROBOTS, {"hall_name": hall_name}, Options(2, None, None, None))


def robots(*ids: str, token: str | None = None) -> httpx.Response:
    listed: dict[str, Any] = {"robotList": [{"robotId": each, "builtAt": "2026-11-25T10:00:00Z"} for each in ids]}
    return httpx.Response(200, json=listed if token is None else {**listed, "nextToken": token})


def test_it_validates() -> None:
    with RobotClient(**mocked(lambda _: pytest.fail("sent"))) as client, pytest.raises(ParameterError) as caught:
        client.get_robot(hall_name="..", robot_id=5)
    assert [each.argument for each in caught.value.problems] == ["hall_name", "robot_id"]


def test_it_signs_decodes_and_retries(waits: list[float]) -> None:
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        if len(requests) == 1:
            return httpx.Response(503)
        return httpx.Response(200, json={"robot": {"robotId": "r", "builtAt": 0, "nickName": "Robby"}})

    with RobotClient(**{**mocked(answer), "retries": RetryPolicy(rng=lambda: 1.0)}) as client:
        got = client.get_robot(hall_name="a b", robot_id="r")
    assert got.robot == Robot(robot_id="r", built_at=dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc), nick_name="Robby")
    assert (got.metadata.attempts, waits) == (2, [0.05])
    first, second = requests
    assert first.url.raw_path == second.url.raw_path == b"/halls/a%20b/robots/r"
    assert (first.method, first.content, "content-type" in first.headers) == ("GET", b"", False)
    assert "SignedHeaders=host;x-amz-date," in second.headers["authorization"]


def test_what_is_no_output_is_an_error() -> None:
    wrong = mocked(lambda _: httpx.Response(200, json={"robot": {"robotId": "r", "builtAt": "soon"}}))
    with RobotClient(**wrong) as client, pytest.raises(ResponseError, match="builtAt is not a timestamp"):
        client.get_robot(hall_name="h", robot_id="r")


def test_it_pages_on_both_clients() -> None:
    import asyncio

    asked: list[tuple[str, object]] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append((str(request.url.raw_path.decode()), json.loads(request.content)))
        return robots("c") if "nextToken" in request.url.params else robots("a", "b", token="t")

    with RobotClient(**mocked(answer)) as client:
        assert [each.robot_id for each in client.iter_robots(hall_name="h")] == ["a", "b", "c"]
    assert asked == [
        ("/halls/h/robots?maxResults=2", {}),
        ("/halls/h/robots?maxResults=2&nextToken=t", {}),
    ]

    async def main() -> list[str]:
        async with AsyncClient(**{**OPTIONS, "transport": httpx.MockTransport(answer)}) as client:
            pager: AsyncPager[ListRobotsResponse, Robot] = AsyncPager(
                client._call, LIST_ROBOTS, {"hall_name": "h"}, Options(2, None, None, None), prefetch=True
            )
            return [each.robot_id async for each in pager]

    assert asyncio.run(main()) == ["a", "b", "c"]
