"""How to test code that makes many calls at once, in an account that is throttled: start_runs.py, dashboard.py."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

import start_runs
from dashboard import Dashboard
from novaact_http import RetryPolicy, errors

if TYPE_CHECKING:
    from novaact_http import AsyncClient
    from novaact_http.testing import LocalService

RUNS = 30


@pytest.fixture
def client(novaact_async_client: AsyncClient) -> AsyncClient:
    """A client as patient as the program's. It does not wait, which in adaptive mode it would."""
    return novaact_async_client.with_options(retries=RetryPolicy(max_attempts=8, rng=lambda: 0.0))


@pytest.mark.novaact_service("ThrottlingException next 20")
async def test_a_throttled_fleet_starts_each_run_once(novaact_service: LocalService, client: AsyncClient) -> None:
    novaact_service.script_runs(polls=2)
    before = len(novaact_service.runs)
    ended = await asyncio.gather(*[start_runs.run_once(client, "checkout-flow") for _ in range(RUNS)])
    assert [status for _, status in ended] == ["SUCCEEDED"] * RUNS
    assert len(novaact_service.runs) == before + RUNS


async def test_a_run_that_cannot_be_created_stops_no_other(novaact_service: LocalService, client: AsyncClient) -> None:
    novaact_service.script_runs(polls=2)
    novaact_service.inject("AccessDeniedException", operation="CreateWorkflowRun", times=1)
    ended = await asyncio.gather(*[start_runs.run_once(client, "checkout-flow") for _ in range(RUNS)])
    (refused,) = [error for run_id, error in ended if run_id is None]
    assert isinstance(refused, errors.AccessDeniedException)
    assert [status for run_id, status in ended if run_id is not None] == ["SUCCEEDED"] * (RUNS - 1)


@pytest.mark.novaact_service(definitions={"checkout-flow": [1, 1, 1]}, rate=0.01, burst=3)
async def test_what_an_account_does_not_admit_is_missing_alone(
    novaact_service: LocalService, novaact_async_client: AsyncClient
) -> None:
    # Three calls are admitted, and in the next 100 seconds no other: of three lists of acts, one.
    client = novaact_async_client.with_options(retries=RetryPolicy(mode="off"))
    title, *lines = await Dashboard(client, limit=2).lines()
    assert title == "checkout-flow: 3 running"
    assert sum("no acts" in line for line in lines) == 1
    assert sum("ThrottlingException" in line for line in lines) == 2
    assert len(novaact_service.calls) == 5
