"""Calls become spans and metrics of OpenTelemetry, as its own SDK exports them."""

from __future__ import annotations

import asyncio
import pickle
from typing import TYPE_CHECKING, Any

import botocore.session
import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.semconv._incubating.attributes import aws_attributes, cloud_attributes, rpc_attributes
from opentelemetry.trace import SpanKind, StatusCode

from novaact_http import (
    AsyncClient,
    Attempt,
    CallReport,
    Client,
    ConfigurationError,
    RetryPolicy,
    ThrottlingException,
    TransportError,
    errors,
)
from novaact_http.opentelemetry import Hooks, hooks
from tests.helpers.calls import CALL, KEYS, NOW, OPTIONS, call_for, mocked, options_for
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.sdk.trace import ReadableSpan

    from novaact_http.testing import LocalService
    from tests.helpers.both_clients import Face

AT_ONCE = RetryPolicy(rng=lambda: 0.0)


class Exported:
    """The hooks of a client, and what they export."""

    def __init__(self, **own_hooks: Callable[[Any], object]) -> None:
        self._spans = InMemorySpanExporter()
        self._metrics = InMemoryMetricReader()
        self.tracer_provider = TracerProvider()
        self.tracer_provider.add_span_processor(SimpleSpanProcessor(self._spans))
        self.tracer = self.tracer_provider.get_tracer("application")
        self.hooks: Hooks = hooks(
            tracer_provider=self.tracer_provider,
            meter_provider=MeterProvider([self._metrics]),
            **own_hooks,
        )

    def spans(self) -> list[ReadableSpan]:
        """Return the spans of calls, in the order of their ends."""
        return [each for each in self._spans.get_finished_spans() if each.kind is SpanKind.CLIENT]

    def span(self) -> ReadableSpan:
        """Return the only span."""
        (span,) = self.spans()
        return span

    def attributes(self) -> dict[str, Any]:
        """Return the attributes of the only span."""
        return dict(self.span().attributes or {})

    def events(self) -> list[dict[str, Any]]:
        """Return the attributes of the events of the only span."""
        return [dict(each.attributes or {}) for each in self.span().events]

    def metrics(self) -> dict[str, list[Any]]:
        """Return the points of each metric."""
        data = self._metrics.get_metrics_data()
        assert data is not None
        return {
            metric.name: list(metric.data.data_points)
            for resource in data.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }


@pytest.fixture
def exported() -> Exported:
    return Exported()


def common_of(service: LocalService) -> dict[str, Any]:
    return {
        "rpc.system": "aws-api",
        "rpc.system.name": "aws-api",
        "rpc.service": "Nova Act",
        "rpc.method": "ListSessions",
        "cloud.region": service.region,
        "server.address": "127.0.0.1",
        "server.port": httpx.URL(service.url).port,
    }


def attempt(**changes: Any) -> Attempt:
    usual: dict[str, Any] = {
        "operation": "GetWorkflowRun",
        "number": 1,
        "status_code": 200,
        "request_id": "r-1",
        "error": None,
        "milliseconds": 250.0,
        "wait": None,
        "call_id": "c-1",
        "started": NOW,
    }
    return Attempt(**{**usual, **changes})


def report(**changes: Any) -> CallReport:
    usual: dict[str, Any] = {
        "operation": "GetWorkflowRun",
        "region": "us-east-1",
        "endpoint": "https://nova-act.us-east-1.amazonaws.com",
        "call_id": "c-1",
        "attempts": 1,
        "started": NOW,
        "milliseconds": 1500.0,
        "status_code": 200,
        "request_id": "r-1",
        "error": None,
    }
    return CallReport(**{**usual, **changes})


def test_a_call_is_a_span_with_an_event_for_its_attempt(face: Face, service: LocalService, exported: Exported) -> None:
    reports: list[CallReport] = []
    own = Exported(on_call=reports.append)
    page = face.page({**options_for(service), **own.hooks}, **call_for(service.runs[0]))
    span = own.span()
    assert (span.name, span.kind, span.parent) == ("Nova Act.ListSessions", SpanKind.CLIENT, None)
    assert span.status.status_code is StatusCode.UNSET
    result = {"http.response.status_code": 200, "aws.request_id": page.metadata.request_id}
    assert own.attributes() == {**common_of(service), **result, "novaact_http.call_id": reports[0].call_id}
    (event,) = own.events()
    assert 0 < event.pop("novaact_http.attempt.duration") < 60
    assert event == {**result, "novaact_http.attempt.number": 1}
    assert span.events[0].name == "novaact_http.attempt"


def test_names_are_those_of_the_conventions_and_the_service_is_botocores(exported: Exported) -> None:
    model = botocore.session.get_session().get_service_model("nova-act")
    exported.hooks["on_call"](report())
    attributes = exported.attributes()
    assert attributes[rpc_attributes.RPC_SYSTEM] == "aws-api"
    assert attributes[rpc_attributes.RPC_SERVICE] == model.service_id
    assert attributes[rpc_attributes.RPC_METHOD] in model.operation_names
    assert attributes[cloud_attributes.CLOUD_REGION] == "us-east-1"
    assert attributes[aws_attributes.AWS_REQUEST_ID] == "r-1"


def test_a_span_and_its_events_have_the_times_of_the_call_and_its_attempts(exported: Exported) -> None:
    exported.hooks["on_attempt"](attempt(started=NOW + 0.25))
    exported.hooks["on_call"](report())
    start = int(NOW * 1e9)
    span = exported.span()
    assert (span.start_time, span.end_time) == (start, start + 1_500_000_000)
    assert [each.timestamp for each in span.events] == [start + 500_000_000]


def test_a_throttled_call_shows_each_attempt_and_is_counted(
    face: Face, service: LocalService, exported: Exported
) -> None:
    service.fail_next("ThrottlingException", times=2)
    face.page({**options_for(service), "retries": AT_ONCE, **exported.hooks}, **call_for(service.runs[0]))
    assert exported.attributes()["http.request.resend_count"] == 2
    assert "error.type" not in exported.attributes()
    first, second, third = exported.events()
    for event in (first, second):
        assert event["error.type"] == event["rpc.response.status_code"] == "ThrottlingException"
        assert event["http.response.status_code"] == 429
        assert event["novaact_http.attempt.wait"] >= 0
    assert third["novaact_http.attempt.number"] == 3
    assert not {"error.type", "novaact_http.attempt.wait"} & set(third)
    metrics = exported.metrics()
    (throttles,) = metrics["novaact_http.client.throttles"]
    assert (throttles.value, dict(throttles.attributes)) == (2, common_of(service))
    counts = {
        (each.attributes["http.response.status_code"], each.attributes.get("error.type")): each.count
        for each in metrics["novaact_http.client.attempt.duration"]
    }
    assert counts == {(429, "ThrottlingException"): 2, (200, None): 1}
    (calls,) = metrics["rpc.client.call.duration"]
    assert (calls.count, dict(calls.attributes)) == (1, {**common_of(service), "http.response.status_code": 200})


def test_a_failure_that_is_no_throttle_is_not_counted_as_one(exported: Exported) -> None:
    exported.hooks["on_attempt"](attempt(status_code=500, error=errors.InternalServerException(), wait=0.1))
    exported.hooks["on_call"](report())
    assert "novaact_http.client.throttles" not in exported.metrics()


def test_a_call_that_fails_is_an_error_without_the_services_words(face: Face, exported: Exported) -> None:
    answer = httpx.Response(
        400, headers={"x-amzn-ErrorType": "ValidationException"}, json={"message": "no such task: Buy a house"}
    )
    with pytest.raises(errors.ValidationException, match="Buy a house"):
        face.page({**mocked(lambda _: answer), **exported.hooks}, **CALL)
    span = exported.span()
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert exported.attributes()["error.type"] == "ValidationException"
    assert "Buy a house" not in span.to_json()


def test_without_a_response_there_is_no_status_and_no_request_id(face: Face, exported: Exported) -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(TransportError):
        face.page({**mocked(refuse), **exported.hooks}, **CALL)
    for attributes in (exported.attributes(), *exported.events()):
        assert attributes["error.type"] == "TransportError"
        absent = {"http.response.status_code", "aws.request_id", "rpc.response.status_code"}
        assert not absent & set(attributes)


def test_no_metric_has_an_id(exported: Exported) -> None:
    exported.hooks["on_attempt"](attempt(queued=1.5, throttled=True, error=ThrottlingException(request_id="r-1")))
    exported.hooks["on_call"](report(error=ThrottlingException(request_id="r-1")))
    points = exported.metrics()
    assert len(points) == 4
    assert not {"r-1", "c-1"} & {
        value for each in points.values() for point in each for value in point.attributes.values()
    }


def test_durations_are_in_seconds_in_fine_buckets(exported: Exported) -> None:
    exported.hooks["on_attempt"](attempt(queued=2.5))
    exported.hooks["on_attempt"](attempt(number=2))
    exported.hooks["on_call"](report())
    metrics = exported.metrics()
    sums = {name: [(each.count, each.sum) for each in points] for name, points in metrics.items()}
    assert sums == {
        "rpc.client.call.duration": [(1, 1.5)],
        "novaact_http.client.attempt.duration": [(2, 0.5)],
        "novaact_http.client.attempt.queued": [(1, 2.5)],
    }
    for points in metrics.values():
        assert points[0].explicit_bounds[0] == 0.005
        assert points[0].explicit_bounds[-1] == 120.0
    assert [each.get("novaact_http.attempt.queued") for each in exported.events()] == [2.5, None]


def test_a_call_that_ends_before_its_first_attempt_is_a_span_too(exported: Exported) -> None:
    exported.hooks["on_call"](
        report(attempts=0, status_code=None, request_id=None, error=TransportError("no keys", request_sent=False))
    )
    assert exported.events() == []
    assert exported.attributes()["error.type"] == "TransportError"


@pytest.mark.parametrize(
    ("endpoint", "address", "port"),
    [
        ("https://nova-act.us-east-1.amazonaws.com", "nova-act.us-east-1.amazonaws.com", 443),
        ("http://localhost/prefix?a=b", "localhost", 80),
        ("http://[::1]:8080", "::1", 8080),
    ],
)
def test_the_server_is_that_of_the_endpoint(exported: Exported, endpoint: str, address: str, port: int) -> None:
    exported.hooks["on_call"](report(endpoint=endpoint))
    attributes = exported.attributes()
    assert (attributes["server.address"], attributes["server.port"]) == (address, port)


def test_a_span_is_a_child_of_the_one_that_was_current_at_the_call(service: LocalService, exported: Exported) -> None:
    with Client(**options_for(service), **exported.hooks) as client:
        with exported.tracer.start_as_current_span("work") as work:
            client.list_sessions(**call_for(service.runs[0]))
        client.list_models(client_compatibility_version=1)
    within, without = exported.spans()
    assert within.parent == work.get_span_context()
    assert without.parent is None


def test_tasks_have_spans_below_their_own(service: LocalService, exported: Exported) -> None:
    parents: dict[int, int] = {}

    async def work(client: AsyncClient, number: int) -> None:
        with exported.tracer.start_as_current_span("work") as span:
            await client.list_sessions(**call_for(service.runs[0]), max_results=number)
            parents[number] = span.get_span_context().span_id

    async def main() -> None:
        async with AsyncClient(**options_for(service), **exported.hooks) as client:
            await asyncio.gather(*(work(client, number) for number in range(1, 11)))

    asyncio.run(main())
    spans = exported.spans()
    assert len(spans) == 10
    assert sorted(each.parent.span_id for each in spans if each.parent) == sorted(parents.values())


def test_pages_that_are_fetched_ahead_belong_to_the_span_of_the_listing(
    service: LocalService, exported: Exported
) -> None:
    run = service.add_run("checkout-flow", sessions=6)

    async def main() -> int:
        async with AsyncClient(**options_for(service), **exported.hooks) as client:
            with exported.tracer.start_as_current_span("listing") as span:
                pager = client.iter_sessions(**call_for(run), page_size=2, prefetch=True)
                assert len([each async for each in pager]) == 6
                return span.get_span_context().span_id

    listing = asyncio.run(main())
    assert [each.parent.span_id for each in exported.spans() if each.parent] == [listing] * 3


def test_a_cancelled_call_is_a_span_of_its_task(service: LocalService, exported: Exported) -> None:
    async def main() -> int:
        async with AsyncClient(**options_for(service), **exported.hooks) as client:
            with exported.tracer.start_as_current_span("work") as span:
                task = asyncio.create_task(client.list_sessions(**call_for(service.runs[0])))
                while not service.requests:  # noqa: ASYNC110 - another thread serves
                    await asyncio.sleep(0.001)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
                return span.get_span_context().span_id

    service.inject("stall next 1")
    work = asyncio.run(main())
    span = exported.span()
    assert span.parent is not None
    assert span.parent.span_id == work
    assert exported.attributes()["error.type"] == "CancelledError"


def test_hooks_of_ones_own_are_called_too(face: Face, service: LocalService) -> None:
    told: list[Any] = []
    exported = Exported(on_attempt=told.append, on_call=told.append)
    face.page({**options_for(service), **exported.hooks}, **call_for(service.runs[0]))
    assert [type(each) for each in told] == [Attempt, CallReport]
    assert exported.attributes()["novaact_http.call_id"] == told[1].call_id


def test_a_hook_of_ones_own_is_called_although_an_exporter_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[CallReport] = []
    exported = Exported(on_call=told.append)
    monkeypatch.setattr(SimpleSpanProcessor, "on_end", None)
    with pytest.raises(TypeError):
        exported.hooks["on_call"](report())
    assert len(told) == 1


def test_attempts_are_forgotten_when_their_call_has_ended(face: Face, service: LocalService) -> None:
    exported = Exported()
    face.page({**options_for(service), **exported.hooks}, **call_for(service.runs[0]))
    assert exported.hooks["on_call"].__self__._attempts == {}  # type: ignore[attr-defined]


def test_a_call_that_is_not_sampled_is_still_in_the_metrics() -> None:
    spans, metrics = InMemorySpanExporter(), InMemoryMetricReader()
    provider = TracerProvider(sampler=ALWAYS_OFF)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    hooks(tracer_provider=provider, meter_provider=MeterProvider([metrics]))["on_call"](report())
    assert spans.get_finished_spans() == ()
    assert metrics.get_metrics_data() is not None


def test_hooks_pickle_with_their_client_and_export_to_providers_that_are_set_later(service: LocalService) -> None:
    printed = run_python(
        "-c",
        f"""
        import pickle
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from novaact_http import Client
        from novaact_http.opentelemetry import hooks
        client = Client(**hooks())
        exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        trace.set_tracer_provider(provider)
        metrics.set_meter_provider(MeterProvider())
        for each in (client, pickle.loads(pickle.dumps(client))):
            each.list_sessions(**{call_for(service.runs[0])!r})
        print([(each.name, len(each.events)) for each in exporter.get_finished_spans()])
        """,
        environ=service.environ,
    ).stdout
    assert printed.strip() == "[('Nova Act.ListSessions', 1), ('Nova Act.ListSessions', 1)]"


def test_the_hooks_of_a_pickled_client_still_belong_together() -> None:
    client: Client = pickle.loads(pickle.dumps(Client(**{**OPTIONS, "credentials": None}, **hooks())))
    on_attempt, on_call = client._context.on_attempt, client._context.on_call
    assert on_attempt.__self__ is on_call.__self__  # type: ignore[union-attr]


def test_a_provider_of_the_hooks_own_cannot_be_pickled_with_the_client(exported: Exported) -> None:
    client = Client(**{**OPTIONS, "credentials": None}, **exported.hooks)
    with pytest.raises(ConfigurationError, match="on_attempt cannot be pickled"):
        pickle.dumps(client)


def test_no_secret_is_exported(face: Face, exported: Exported) -> None:
    secret = KEYS.secret_access_key
    answer = httpx.Response(429, headers={"x-amzn-RequestId": secret, "x-amzn-ErrorType": secret}, text=secret)
    with pytest.raises(errors.ServiceError):
        face.page({**mocked(lambda _: answer), **exported.hooks}, **CALL)
    assert secret not in f"{exported.span().to_json()} {exported.metrics()}"
