"""Spans and metrics of calls for OpenTelemetry, by its conventions for AWS SDKs and for remote procedure calls.

It needs the extra `opentelemetry`, and is imported by nothing else in the library.

A span is made when its call has ended, as a child of the span that is current then on the caller's thread or in its
task, and gets the call's own times. Of errors, only what has few values is exported: their types, codes and statuses.
Their messages are not, because the service may quote in them what it was sent. Ids are in spans and never in metrics.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import urlsplit

from novaact_http._needed_packages import needed
from novaact_http._version import __version__
from novaact_http.errors import ServiceError

with needed("opentelemetry-api", by="novaact_http.opentelemetry", install="'novaact-http[opentelemetry]'"):
    from opentelemetry import metrics, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span, TracerProvider

    from novaact_http.attempts import Attempt, CallReport

    Attributes = dict[str, str | int | float]

__all__ = ["Hooks", "hooks"]

_SCOPE = "novaact_http"
_SERVICE = "Nova Act"  # AWS's id of it, as in the spans of botocore's instrumentation
_PORTS = {"http": 80, "https": 443}
# Those that OpenTelemetry advises for seconds, and more, because steps and retried calls may take minutes.
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0, 120.0)


class Hooks(TypedDict):
    """Two arguments of a client, which belong together: `Client(**hooks())`."""

    on_attempt: Callable[[Attempt], None]
    on_call: Callable[[CallReport], None]


def hooks(
    *,
    on_attempt: Callable[[Attempt], object] | None = None,
    on_call: Callable[[CallReport], object] | None = None,
    tracer_provider: TracerProvider | None = None,
    meter_provider: MeterProvider | None = None,
) -> Hooks:
    """Return the arguments that let a client make a span of each call, with an event for each attempt, and metrics.

    For example, `AsyncClient(region="us-east-1", **hooks())`. Several clients can have the same hooks.

    Args:
        on_attempt: a hook of your own, called after each attempt too.
        on_call: a hook of your own, called after each call too, when its span has ended.
        tracer_provider: where spans go. By default the global provider, also if that is set later.
        meter_provider: where metrics go. By default the global provider, also if that is set later.
    """
    telemetry = _Telemetry(on_attempt, on_call, tracer_provider, meter_provider)
    return {"on_attempt": telemetry.on_attempt, "on_call": telemetry.on_call}


class _Telemetry:
    """The hooks, and the attempts of calls that have not ended."""

    def __init__(
        self,
        on_attempt: Callable[[Attempt], object] | None,
        on_call: Callable[[CallReport], object] | None,
        tracer_provider: TracerProvider | None,
        meter_provider: MeterProvider | None,
    ) -> None:
        self._arguments = (on_attempt, on_call, tracer_provider, meter_provider)
        self._then_attempt = on_attempt
        self._then_call = on_call
        self._attempts: dict[str, list[Attempt]] = {}
        self._tracer = trace.get_tracer(_SCOPE, __version__, tracer_provider)
        meter = metrics.get_meter(_SCOPE, __version__, meter_provider)
        histogram = partial(meter.create_histogram, unit="s", explicit_bucket_boundaries_advisory=_SECONDS)
        self._calls = histogram(
            "rpc.client.call.duration",
            description="How long calls took, with all their attempts and the waits between them.",
        )
        self._durations = histogram(
            "novaact_http.client.attempt.duration",
            description="How long attempts took, from sending to the response's last byte or the failure.",
        )
        self._queued = histogram(
            "novaact_http.client.attempt.queued",
            description="How long attempts waited for their turn, in adaptive mode; only those that waited.",
        )
        self._throttles = meter.create_counter(
            "novaact_http.client.throttles",
            unit="{attempt}",
            description="How many attempts the service throttled.",
        )

    def __reduce__(self) -> tuple[type[_Telemetry], tuple[object, ...]]:
        # A pickled client has its hooks with it; they use the providers of the process that it is unpickled in.
        return type(self), self._arguments

    def on_attempt(self, attempt: Attempt) -> None:
        """Keep the attempt until its call has ended: only then it is known what belongs to the span."""
        self._attempts.setdefault(attempt.call_id, []).append(attempt)
        if self._then_attempt is not None:
            self._then_attempt(attempt)

    def on_call(self, report: CallReport) -> None:
        """Export the call."""
        attempts = self._attempts.pop(report.call_id, [])
        try:
            common = _common(report)
            self._export_span(report, attempts, common)
            self._export_metrics(report, attempts, common)
        finally:
            if self._then_call is not None:
                self._then_call(report)

    def _export_span(self, report: CallReport, attempts: list[Attempt], common: Attributes) -> None:
        span = self._tracer.start_span(
            f"{_SERVICE}.{report.operation}",
            kind=trace.SpanKind.CLIENT,
            attributes={**common, "novaact_http.call_id": report.call_id},
            start_time=_nanoseconds(report.started),
        )
        if span.is_recording():
            span.set_attributes(_result(report))
            if report.attempts > 1:
                span.set_attribute("http.request.resend_count", report.attempts - 1)
            if report.error is not None:
                span.set_status(trace.StatusCode.ERROR)
            for each in attempts:
                _add_event(span, each)
        span.end(_nanoseconds(report.started, report.milliseconds))

    def _export_metrics(self, report: CallReport, attempts: list[Attempt], common: Attributes) -> None:
        self._calls.record(report.milliseconds / 1000, {**common, **_outcome(report)})
        for each in attempts:
            self._durations.record(each.milliseconds / 1000, {**common, **_outcome(each)})
            if each.queued:
                self._queued.record(each.queued, common)
            if each.throttled:
                self._throttles.add(1, common)


def _add_event(span: Span, attempt: Attempt) -> None:
    attributes: Attributes = {
        **_result(attempt),
        "novaact_http.attempt.number": attempt.number,
        "novaact_http.attempt.duration": attempt.milliseconds / 1000,
    }
    if attempt.queued:
        attributes["novaact_http.attempt.queued"] = attempt.queued
    if attempt.wait is not None:
        attributes["novaact_http.attempt.wait"] = attempt.wait
    span.add_event("novaact_http.attempt", attributes, _nanoseconds(attempt.started, attempt.milliseconds))


def _common(report: CallReport) -> Attributes:
    """Return what the span and all metrics of a call have in common."""
    endpoint = urlsplit(report.endpoint)
    return {
        # OpenTelemetry's page about AWS SDKs has the first name, its newer pages about RPC the second.
        "rpc.system": "aws-api",
        "rpc.system.name": "aws-api",
        "rpc.service": _SERVICE,
        "rpc.method": report.operation,
        "cloud.region": report.region,
        "server.address": endpoint.hostname or "",
        "server.port": endpoint.port or _PORTS[endpoint.scheme],
    }


def _outcome(report: CallReport | Attempt) -> Attributes:
    """Return how a call or an attempt ended, in attributes that have few values."""
    attributes: Attributes = {}
    if report.status_code is not None:
        attributes["http.response.status_code"] = report.status_code
    if report.error is not None:
        attributes["error.type"] = type(report.error).__name__
    return attributes


def _result(report: CallReport | Attempt) -> Attributes:
    """Return how a call or an attempt ended, for its span or event."""
    attributes = _outcome(report)
    if report.request_id is not None:
        attributes["aws.request_id"] = report.request_id
    if isinstance(report.error, ServiceError):
        attributes["rpc.response.status_code"] = report.error.code
    return attributes


def _nanoseconds(seconds: float, later: float = 0.0) -> int:
    """Return a moment in nanoseconds since the epoch.

    Args:
        seconds: the seconds since the epoch.
        later: milliseconds to add.
    """
    return round((seconds + later / 1000) * 1e6) * 1000  # a float holds no more than microseconds
