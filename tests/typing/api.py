"""The public interface under a type checker: lines that must pass, and lines with an ignore, which must fail."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

import httpx
from typing_extensions import assert_type

from novaact_http import (
    AsyncClient,
    AsyncPager,
    BotocoreSigner,
    Client,
    Credentials,
    ListSessionsResponse,
    Pager,
    ResponseMetadata,
    RetryPolicy,
    Scope,
    SessionSummary,
    Signer,
    SortOrder,
    ThrottlingException,
    Timeout,
    errors,
)
from novaact_http.opentelemetry import Hooks, hooks
from novaact_http.testing import LocalService, WorkflowRun


def good(client: Client, transport: httpx.BaseTransport) -> None:
    page = client.list_sessions(workflow_definition_name="a", workflow_run_id="b")
    assert_type(page, ListSessionsResponse)
    assert_type(page.session_summaries, tuple[SessionSummary, ...])
    assert_type(page.session_summaries[0].session_id, str)
    assert_type(page.next_token, str | None)
    assert_type(page.metadata, ResponseMetadata)
    assert_type(page.metadata.headers, Mapping[str, str])
    client.list_sessions(
        workflow_definition_name="a",
        workflow_run_id="b",
        max_results=5,
        next_token=page.next_token,
        sort_order="Ascending",
    )
    pager = client.iter_sessions(workflow_definition_name="a", workflow_run_id="b", sort_order=SortOrder.ASCENDING)
    assert_type(pager, Pager[ListSessionsResponse, SessionSummary])
    for session in pager:
        assert_type(session, SessionSummary)
    for each in pager.pages():
        assert_type(each, ListSessionsResponse)
    assert_type(pager.resume_token, str | None)
    with Client(transport=transport, signer=BotocoreSigner(), timeout=Timeout(connect=1), verify="ca.pem") as entered:
        assert_type(entered, Client)
    try:
        client.list_sessions(workflow_definition_name="a", workflow_run_id="b")
    except client.exceptions.ThrottlingException as error:
        assert_type(error, ThrottlingException)  # type: ignore[assert-type]  # a module's members are Any to mypy
        assert_type(error.retry_after_seconds, int | None)  # type: ignore[assert-type]
    except errors.ValidationException as error:
        assert_type(error.field_list, tuple[errors.ValidationExceptionField, ...])
    except errors.ServiceError as error:
        assert_type(error.code, str)


async def good_async(client: AsyncClient, transport: httpx.AsyncBaseTransport) -> None:
    page = await client.list_sessions(workflow_definition_name="a", workflow_run_id="b")
    assert_type(page, ListSessionsResponse)
    pager = client.iter_sessions(workflow_definition_name="a", workflow_run_id="b", page_size=10, max_items=5)
    assert_type(pager, AsyncPager[ListSessionsResponse, SessionSummary])
    async for session in pager:
        assert_type(session, SessionSummary)
    async for each in pager.pages():
        assert_type(each, ListSessionsResponse)
    async with AsyncClient(transport=transport) as entered:
        assert_type(entered, AsyncClient)
    await client.aclose()


class SigningNothing:
    """A user's signer."""

    def sign(
        self,
        method: str,
        target: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes,
        *,
        credentials: Credentials,
        scope: Scope,
        now: float,
    ) -> tuple[tuple[str, str], ...]:
        assert_type((scope.region, scope.service), tuple[str, str])
        return (*headers, ("Authorization", f"{method} {target} {len(body)} {credentials.access_key_id} {now}"))


def good_signers() -> None:
    signers: list[Signer] = [BotocoreSigner(), SigningNothing()]
    Client(signer=signers[0])


def good_values() -> None:
    Credentials(access_key_id="a", secret_access_key="b", expires_at=datetime.now(timezone.utc))
    error = ThrottlingException("Slow down.", retry_after_seconds=2, request_id="r", attempts=3)
    assert_type(error.headers, Mapping[str, str])
    Client(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))


def fetch() -> Credentials:
    return Credentials(access_key_id="a", secret_access_key="b")


async def fetch_async() -> Credentials:
    return fetch()


class LikeBotocores:
    def get_frozen_credentials(self) -> Any: ...


class LikeASession:
    def get_credentials(self) -> Any: ...


def good_options() -> None:
    for credentials in (fetch, LikeBotocores(), LikeASession(), fetch()):
        Client(credentials=credentials)
        AsyncClient(credentials=credentials)
    AsyncClient(credentials=fetch_async)
    assert_type(Client(profile="dev").with_options(timeout=2, retries=RetryPolicy(max_attempts=5)), Client)
    assert_type(AsyncClient().with_options(timeout=Timeout(total=2)), AsyncClient)


def good_testing(service: LocalService) -> None:
    assert_type(service.runs, tuple[WorkflowRun, ...])
    assert_type(service.url, str)
    service.fail_next("ThrottlingException", retry_after_seconds=1)


def bad(client: Client, pager_arguments: Any) -> None:
    client.list_sessions("a", "b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.list_sessions(workflow_definition_name="a")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.list_sessions(workflow_definition_name="a", workflow_run_id=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    client.list_sessions(workflow_definition_name="a", workflow_run_id="b", max_items=5)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.iter_sessions(workflow_definition_name="a", workflow_run_id="b", page_size="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client("us-east-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client(verify=False)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client(timeout="5")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client(on_attempt=lambda: None)  # type: ignore[arg-type, misc]  # pyright: ignore[reportArgumentType]
    Client(transport=httpx.AsyncHTTPTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    AsyncClient(transport=httpx.HTTPTransport())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Credentials("a", "b")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client(credentials=fetch_async)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Client().with_options(region="us-east-1")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    Client(credentials=("a", "b"))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    ThrottlingException("x", reason="y")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    async_pager = AsyncClient().iter_sessions(workflow_definition_name="a", workflow_run_id="b")
    for _ in async_pager:  # type: ignore[attr-defined]  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
        pass


def bad_names() -> None:
    from novaact_http import Klient  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    from novaact_http.testing import LokalService  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]

    Klient(LokalService)


def bad_values(page: ListSessionsResponse, session: SessionSummary, credentials: Credentials) -> None:
    page.next_token = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    session.session_id = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    credentials.access_key_id = "x"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]
    page.metadata.headers["a"] = "b"  # type: ignore[index]  # pyright: ignore[reportIndexIssue]


def telemetry() -> None:
    assert_type(hooks(on_call=print), Hooks)
    Client(region="us-east-1", **hooks())
    AsyncClient(region="us-east-1", **hooks(on_attempt=print))
    hooks(on_call="print")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
