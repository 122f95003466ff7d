"""How to test code that makes sure that a definition exists, while other programs do the same."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from novaact_http import AsyncClient, Client
    from novaact_http.testing import LocalService

NAME = "nightly-export"


def created(service: LocalService) -> int:
    """Return how many times the definition was created."""
    calls = [call for call in service.calls if call.operation == "CreateWorkflowDefinition"]
    return sum(call.error_code is None for call in calls)


def test_many_threads_get_one_definition(novaact_service: LocalService, novaact_client: Client) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: novaact_client.ensure_workflow_definition(name=NAME), range(8)))
    assert len({each.created_at for each in found}) == 1
    assert created(novaact_service) == 1


async def test_many_tasks_get_one_definition(novaact_service: LocalService, novaact_async_client: AsyncClient) -> None:
    found = await asyncio.gather(*[novaact_async_client.ensure_workflow_definition(name=NAME) for _ in range(8)])
    assert len({each.created_at for each in found}) == 1
    assert created(novaact_service) == 1


def test_the_loser_gets_what_the_winner_created(novaact_service: LocalService, novaact_client: Client) -> None:
    # As the loser sees it, every time: the definition is there, but another one has created it.
    novaact_service.inject("ConflictException", operation="CreateWorkflowDefinition", times=1, after_work=True)
    assert novaact_client.ensure_workflow_definition(name=NAME).name == NAME
    assert [(call.operation, call.error_code) for call in novaact_service.calls] == [
        ("GetWorkflowDefinition", "ResourceNotFoundException"),
        ("CreateWorkflowDefinition", "ConflictException"),
        ("GetWorkflowDefinition", None),
    ]
