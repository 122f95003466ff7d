"""`LocalService`: an HTTP/1.1 server on 127.0.0.1 that behaves as Nova Act does for ListSessions."""

from __future__ import annotations

import contextlib
import math
import random
import threading
import time
from typing import TYPE_CHECKING

from novaact_http.config import Credentials
from novaact_http.testing._argument_checks import check, check_number, check_text, number_attribute
from novaact_http.testing._local_service import certificates, http, nova_act
from novaact_http.testing._local_service.authorization import SignatureVerifier
from novaact_http.testing._local_service.credentials import CredentialStore
from novaact_http.testing._local_service.faults import (
    CONNECTION_FAULTS,
    ConnectionFault,
    FaultSpecification,
    Schedule,
    ScheduledFault,
    TokenBucket,
)
from novaact_http.testing._local_service.messages import Answer
from novaact_http.testing._local_service.server import ADDRESS, Reply, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from novaact_http.testing._local_service.messages import ReceivedRequest
    from novaact_http.testing._local_service.nova_act import WorkflowRun

_ASKED_FOR = "Asked for by the test."
_REGION = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"


class LocalService:
    """Nova Act's ListSessions on this machine. A context manager; or call `start()` and `close()`.

    Args:
        port: to listen on; any free one by default.
        seed: of all that is made up: credentials, runs, sessions, tokens, request ids, chances. The same seed gives the
            same.
        region: the one region that signatures must be for.
        credentials: the only ones that are let in; made up by default.
        credentials_lifetime: seconds. If given, made-up credentials are temporary: see `get_credentials`.
        clock: seconds since the epoch. Signatures may be 5 minutes off it.
        clock_offset: seconds that are added to it, also later on: an attribute.
        definitions: the workflow definitions there are, with the sessions of each of their runs: how many, or their
            ids. A made-up handful by default.
        latency: seconds before each answer; an attribute, too.
        jitter: seconds of latency more at most, at random; an attribute, too.
        rate: requests a second that are let through; further ones meet a ThrottlingException with Retry-After.
            None: all.
        burst: how many are let through at once, if there is a rate; with None, as many as in a second, one at least.
        tls: speak HTTPS, with a certificate that is made when it starts; needs the extra `testing`.
        record_requests: keep all that comes in `requests`.

    Attributes:
        url: to pass as `endpoint_url`; known once the service has started.
        ca_file: path of a CA bundle that has the certificate, to pass as `verify`, while it runs with `tls`; else None.
        requests: all that came, in order of arrival, whether let in or not.
        connections: how many were accepted so far.

    Raises:
        ValueError: an argument is none of these, or an attribute is set to what it cannot be.
    """

    clock_offset: float = number_attribute()
    latency: float = number_attribute(minimum=0)
    jitter: float = number_attribute(minimum=0)

    def __init__(
        self,
        *,
        port: int = 0,
        seed: int = 0,
        region: str = "us-east-1",
        credentials: Credentials | None = None,
        credentials_lifetime: float | None = None,
        clock: Callable[[], float] = time.time,
        clock_offset: float = 0.0,
        definitions: Mapping[str, Sequence[int | Iterable[str]]] | None = None,
        latency: float = 0.0,
        jitter: float = 0.0,
        rate: float | None = None,
        burst: float | None = None,
        tls: bool = False,
        record_requests: bool = True,
    ) -> None:
        check_number("port", port, minimum=0, maximum=65_535, whole=True)
        check_number("seed", seed, whole=True)
        check_text("region", region, "up to 63 letters, digits and inner hyphens, such as us-east-1", _REGION)
        is_known = credentials is None or isinstance(credentials, Credentials)
        check("credentials", type(credentials), "novaact_http.Credentials", valid=is_known)  # the type, as it is secret
        check_number("credentials_lifetime", credentials_lifetime, above=0, optional=True)
        check("clock", clock, "a function such as time.time", valid=callable(clock))
        self.clock_offset = clock_offset
        self.latency, self.jitter = latency, jitter
        self.requests: list[ReceivedRequest] = []
        self.connections = 0
        self.ca_file: str | None = None
        self._clock = clock
        self._credentials = CredentialStore(seed, credentials, credentials_lifetime)
        self._verifier = SignatureVerifier(credentials=self._credentials, region=region)
        self._nova_act = nova_act.NovaAct(seed, nova_act.DEFINITIONS if definitions is None else definitions)
        self._random = random.Random(f"chances {seed}")  # noqa: S311 - made up, and the same for the same seed
        self._schedule = Schedule(self._random)
        self._bucket: TokenBucket | None = None
        if rate is not None:
            self._bucket = TokenBucket(rate, burst, time.monotonic())
        elif burst is not None:
            raise ValueError(f"burst={burst} needs a rate, such as rate=10: without one, all is let through")
        self._records_requests = record_requests
        self._lock = threading.RLock()
        self._port = port
        self._tls = tls
        self._files = contextlib.ExitStack()
        self._server: Server | None = None

    @property
    def region(self) -> str:
        """The region that signatures must be for."""
        return self._verifier.region

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{ADDRESS}:{self._running().port}"

    @property
    def credentials(self) -> Credentials:
        """Credentials that are good now."""
        return self.get_credentials()

    def get_credentials(self) -> Credentials:
        """Credentials that are good now: others each time that those before have expired.

        A client to which this method is passed as `credentials` goes on for ever.
        """
        with self._lock:
            return self._credentials.current(self._now())

    def expire_credentials(self) -> None:
        """Answer the credentials known so far with ExpiredTokenException from now on, and make up others."""
        with self._lock:
            self._credentials.expire_all(self._now())

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that make boto3, the AWS CLI and this library's clients talk to this service."""
        keys = self.credentials
        variables = {
            "AWS_ENDPOINT_URL_NOVA_ACT": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": keys.access_key_id,
            "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        }
        if keys.session_token:
            variables["AWS_SESSION_TOKEN"] = keys.session_token
        if keys.expires_at is not None:
            variables["AWS_CREDENTIAL_EXPIRATION"] = keys.expires_at.isoformat()
        if self.ca_file is not None:
            variables["AWS_CA_BUNDLE"] = self.ca_file
        return variables

    @property
    def runs(self) -> tuple[WorkflowRun, ...]:
        """All workflow runs. The first of those made up has more than ten sessions; some have one, or none."""
        return tuple(self._nova_act.runs.values())

    def add_run(
        self,
        workflow_definition_name: str,
        *,
        sessions: int | Iterable[str] = 0,
        workflow_run_id: str | None = None,
        replace: bool = False,
    ) -> WorkflowRun:
        """Add a workflow run, and its definition if there is none.

        Args:
            workflow_definition_name: of a definition that there is already, or of a new one.
            sessions: how many, or their ids from the oldest to the newest.
            workflow_run_id: a UUID; made up by default.
            replace: put it in the place of the run of that name and id, if there is one.

        Raises:
            ValueError: the service model allows no such name or id, the sessions are neither, or there is such a run.
        """
        with self._lock:
            return self._nova_act.add_run(workflow_definition_name, sessions, workflow_run_id, replace=replace)

    def add_sessions(self, run: WorkflowRun, sessions: int | Iterable[str]) -> WorkflowRun:
        """Add sessions to a run, newer than all it has: how many, or their ids. Returns the run as it is then.

        Raises:
            KeyError: there is no such run.
            ValueError: the sessions are neither.
        """
        with self._lock:
            return self._nova_act.add_sessions(run, sessions)

    def fail_next(self, code: str, message: str = _ASKED_FOR, *, times: int = 1, **members: object) -> None:
        """Answer the next requests that are signed rightly with a modelled error.

        Args:
            code: such as `"ThrottlingException"`; the status is the service model's.
            message: the service's words.
            times: how many requests.
            members: the error's own, by their names on the exception, such as `retry_after_seconds=2`.

        Raises:
            ValueError: the code is not in the service model (`answer_next` sends anything), or a number is none.
            TypeError: the error has no such member.
        """
        check_number("times", times, minimum=0, whole=True)
        self._add(ScheduledFault(effect=nova_act.modelled_error(code, message, **members), times=times))

    def answer_next(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """Answer the next request that is signed rightly with exactly this, as a gateway might.

        Date, x-amzn-RequestId and Content-Length are added where they are not given.

        Raises:
            TypeError: the body is no bytes.
            ValueError: the status is not from 200 to 999, or a header cannot be sent.
        """
        check_number("status", status, minimum=200, maximum=999, whole=True)
        if not isinstance(body, bytes):
            raise TypeError(f"the body must be bytes, not {type(body).__name__}")
        for name, value in (headers or {}).items():
            http.check_header(name, value)
        self._add(ScheduledFault(effect=Answer(status=status, headers=dict(headers or {}), body=body), times=1))

    def inject(
        self,
        fault: str,
        *,
        times: int | None = None,
        every: int | None = None,
        chance: float | None = None,
        seconds: float | None = None,
        message: str = _ASKED_FOR,
        **members: object,
    ) -> None:
        """Have something go wrong with requests that are signed rightly: with all, or on a schedule.

        Of several faults (those of `fail_next` and `answer_next` among them), the first that is due comes.

        Args:
            fault: the code of a modelled error, such as `"ThrottlingException"`; or what happens to the connection:
                `"refuse"` (reset it, and refuse all for a while), `"reset"`, `"reset-mid"`, `"reset-after"` (before,
                in, after the answer), `"truncate"` (close it in the middle of the answer's body), `"drip"` (a byte at
                a time), `"stall"` (no answer), `"close"` (after the answer, without saying so). The schedule may be
                in it too: `"reset next 2"`, `"ThrottlingException every 3rd"`, `"drip for 0.1s 10 %"`.
            times: how often at most.
            every: of so many requests, the last one.
            chance: from 0 to 1, by the service's seed.
            seconds: how long connections are refused (1 by default), how long the client has to read before a reset in
                or after the answer (0.2), or the time between bytes that drip (0.01). No other fault takes any.
            message: an error's words.
            members: an error's own, by their names on the exception, such as `retry_after_seconds=2`.

        Raises:
            ValueError: there is no such fault or schedule, or the text has already what is told besides.
            TypeError: the error has no such member.
        """
        spec = FaultSpecification.parse(fault, times=times, every=every, chance=chance, seconds=seconds)
        effect: Answer | ConnectionFault
        if spec.fault in CONNECTION_FAULTS:
            if members:
                raise TypeError(f"{spec.fault} has no {', '.join(sorted(members))}: it is no error of the service")
            wait = CONNECTION_FAULTS[spec.fault] if spec.seconds is None else spec.seconds
            effect = ConnectionFault(spec.fault, wait)
        elif spec.fault[0].isupper():
            effect = nova_act.modelled_error(spec.fault, message, **members)
        else:
            raise ValueError(f"{spec.fault!r} is none of {', '.join(CONNECTION_FAULTS)}, nor the code of an error")
        if spec.seconds is not None and not CONNECTION_FAULTS.get(spec.fault):
            takers = ", ".join(name for name, default in CONNECTION_FAULTS.items() if default)
            raise ValueError(f"{spec.fault} takes no seconds, only {takers}; latency delays all answers")
        self._add(ScheduledFault(effect=effect, times=spec.times, every=spec.every, chance=spec.chance))

    def clear_faults(self) -> None:
        """Have nothing go wrong any more."""
        with self._lock:
            self._schedule.clear()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """In a `with` block: refuse connections, and have those closed that there are."""
        server = self._running()
        server.refuse()
        try:
            yield
        finally:
            server.accept()

    def start(self) -> Self:
        """Start listening. Returns at once, ready for requests.

        Raises:
            OSError: the port is not free.
            RuntimeError: the extra `testing` is needed for `tls`.
        """
        if self._server is None:
            context = None
            if self._tls:
                context, self.ca_file = certificates.make(ADDRESS, self._files)
            self._server = Server(self._reply, self._port, context, self._count_connection)
        return self

    def close(self) -> None:
        """Stop listening, and close all connections. Closing again does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._files.close()
        self.ca_file = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _running(self) -> Server:
        if self._server is None:
            raise RuntimeError("the local service is not running: use it in a `with` block, or call start()")
        return self._server

    def _now(self) -> float:
        return self._clock() + self.clock_offset

    def _add(self, scheduled: ScheduledFault) -> None:
        with self._lock:
            self._schedule.add(scheduled)

    def _count_connection(self) -> None:
        self.connections += 1

    def _reply(self, request: ReceivedRequest) -> Reply:
        """What a request is answered with. Called on the server's thread."""
        with self._lock:
            if self._records_requests:
                self.requests.append(request)
            now = self._now()
            answer, fault = self._verifier.refusal(request, now), None
            if answer is None:
                planned = self._schedule.next()
                if isinstance(planned, Answer):
                    answer = planned
                else:
                    fault = planned
            if answer is None:
                answer = self._throttled() or self._nova_act.answer(request.method, request.target, request.body)
            head = http.encode_head(answer, self._nova_act.new_request_id(), now)
            delay = self.latency + (self._random.uniform(0, self.jitter) if self.jitter else 0.0)
        return Reply(head, answer.body, delay, fault)

    def _throttled(self) -> Answer | None:
        wait = self._bucket.take(time.monotonic()) if self._bucket is not None else 0.0
        if not wait:
            return None
        return nova_act.modelled_error("ThrottlingException", "Rate exceeded", retry_after_seconds=math.ceil(wait))
