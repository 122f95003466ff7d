"""`LocalService`: an HTTP/1.1 server on 127.0.0.1 that answers as Nova Act does."""

from __future__ import annotations

import contextlib
import math
import random
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from novaact_http.config import Credentials
from novaact_http.testing._argument_checks import check, check_number, check_text, number_attribute
from novaact_http.testing._expectations import expect
from novaact_http.testing._local_service import certificates, http, nova_act, service_model, world_state
from novaact_http.testing._local_service.authorization import SignatureVerifier
from novaact_http.testing._local_service.credentials import CredentialStore
from novaact_http.testing._local_service.faults import (
    CONNECTION_FAULTS,
    FAULTS_WITHOUT_RESPONSE,
    ConnectionFault,
    FaultSpecification,
    Schedule,
    ScheduledFault,
    TokenBucket,
)
from novaact_http.testing._local_service.http_messages import Answer
from novaact_http.testing._local_service.server import ADDRESS, Reply, Server
from novaact_http.testing._local_service.service_model import ServiceCall
from novaact_http.testing._local_service.world_methods import WorldMethods

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from types import TracebackType

    from typing_extensions import Self

    from novaact_http.testing._local_service.http_messages import ReceivedRequest
    from novaact_http.testing._local_service.service_model import Route

# Variables of the environment that would keep programs from using the service, if it does not set them.
VARIABLES_IN_THE_WAY = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)
_MESSAGE = "Asked for by the test."
_ALL_ADDRESSES = ("0.0.0.0", "::")  # noqa: S104
_NOTHING = Answer(status=500, headers={}, body=b"")  # for a connection that is reset without a response
_REGION = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"


class LocalService(WorldMethods):
    """A local server for all of Nova Act. Use it as a context manager, or call `start()` and `close()`.

    Workflows run in it from definition to last act: what clients create, update and delete is there for other calls,
    statuses follow one another as in the service, and a token makes a repeated call the same one. What an act has its
    client do, and when a run ends by itself, is told by `script_acts` and `script_runs`. A run that takes a week, or an
    act that takes a day, is TIMED_OUT; what is deleted is gone a second later; `advance` moves the time.

    Args:
        port: the port to listen on; 0, the default, for any free port.
        host: the address to listen on. The default is for programs of this machine; with `"0.0.0.0"`, others can reach
            the service too, as from other containers. Its keys are no secret, and it is made for tests alone.
        seed: the seed of all random values: credentials, runs, sessions, tokens, request ids and chances. The same seed
            gives the same values.
        region: the one region that signatures must be for.
        credentials: the only credentials that are accepted; random ones by default.
        credentials_lifetime: seconds that random credentials are valid; they are temporary then, see
            `get_credentials`. With None, the default, they never expire.
        clock: a function that returns seconds since the epoch; with None, the default, `time.time`, also where a test
            has frozen it. The time of a signature may differ from it by 5 minutes.
        clock_offset: seconds to add to the clock. It is also an attribute, which can be set later.
        definitions: the workflow definitions by name, each with the sessions of its runs: for each run the number of
            sessions, or a list of their ids. By default there are three definitions with runs and acts of every status.
        latency: seconds to wait before each response. It is also an attribute.
        jitter: the most seconds of random latency to add. It is also an attribute.
        rate: requests a second that are admitted. Others get a ThrottlingException with a Retry-After header. With
            None, the default, all are admitted.
        burst: requests that are admitted at once, if there is a rate. With None, the default, it is the same number as
            the rate, but at least 1.
        tls: whether to serve HTTPS, with a certificate that is made at the start. It needs the extra `testing`.
        record_requests: whether to keep all requests in `requests`, and all calls in `calls`.

    Attributes:
        url: the URL to pass as `endpoint_url`. It is known once the service has started.
        ca_file: the path of a CA bundle with the service's certificate, to pass as `verify`. It is None without `tls`,
            and while the service is not running.
        requests: all requests in order of arrival, also those with a bad signature.
        calls: the same as calls of operations: what was called, by whom, and what came of it.
        connections (int): the number of connections accepted so far.

    Raises:
        ValueError: an argument is not as described, or an attribute is set to a value that is not allowed.
    """

    clock_offset: float = number_attribute()
    latency: float = number_attribute(minimum=0)
    jitter: float = number_attribute(minimum=0)

    def __init__(
        self,
        *,
        port: int = 0,
        host: str = ADDRESS,
        seed: int = 0,
        region: str = "us-east-1",
        credentials: Credentials | None = None,
        credentials_lifetime: float | None = None,
        clock: Callable[[], float] | None = None,
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
        check("host", host, "an address of this machine, such as 127.0.0.1 or 0.0.0.0", valid=_is_address(host))
        check_number("seed", seed, whole=True)
        check_text("region", region, "up to 63 letters, digits and inner hyphens, such as us-east-1", _REGION)
        is_credentials = credentials is None or isinstance(credentials, Credentials)
        # The message shows only the type, because the value may be secret.
        check("credentials", type(credentials), "novaact_http.Credentials", valid=is_credentials)
        check_number("credentials_lifetime", credentials_lifetime, above=0, optional=True)
        check("clock", clock, "a function such as time.time", valid=clock is None or callable(clock))
        self.clock_offset = clock_offset
        self.latency, self.jitter = latency, jitter
        self.requests: list[ReceivedRequest] = []
        self.calls: list[ServiceCall] = []
        self.connections = 0
        self.ca_file: str | None = None
        self._clock = clock
        self._credentials = CredentialStore(seed, credentials, credentials_lifetime)
        self._verifier = SignatureVerifier(credentials=self._credentials, region=region)
        super().__init__(nova_act.NovaAct(seed, definitions or {}, self._world_now, region))
        if definitions is None:
            world_state.begin(self, self._world_now())
        self._random = random.Random(f"chances {seed}")  # noqa: S311 - not secret, and the same for the same seed
        self._schedule = Schedule(self._random)
        self._bucket: TokenBucket | None = None
        if rate is not None:
            self._bucket = TokenBucket(rate, burst, time.monotonic())
        elif burst is not None:
            raise ValueError(f"burst={burst} needs a rate, such as rate=10: without a rate, every request is admitted")
        self._records_requests = record_requests
        self._port = port
        self._host = host
        self._tls = tls
        self._files = contextlib.ExitStack()
        self._server: Server | None = None

    @property
    def region(self) -> str:
        """The region that signatures must be for."""
        return self._verifier.region

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._reachable}:{self._running().port}"

    @property
    def _reachable(self) -> str:
        """The address by which programs of this machine reach the service, as in a URL."""
        if self._host in _ALL_ADDRESSES:
            return ADDRESS if self._host == "0.0.0.0" else "[::1]"  # noqa: S104 - compared, not listened on
        return f"[{self._host}]" if ":" in self._host else self._host

    @property
    def credentials(self) -> Credentials:
        """Credentials that are valid now."""
        return self.get_credentials()

    def get_credentials(self) -> Credentials:
        """Return credentials that are valid now: new ones each time the last ones have expired.

        Pass this method to a client as `credentials`, and the client always has valid credentials.
        """
        with self._lock:
            return self._credentials.current(self._now())

    def expire_credentials(self) -> None:
        """Make all credentials issued so far expire now, so that they get an ExpiredTokenException."""
        with self._lock:
            self._credentials.expire_all(self._now())

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that make boto3, the AWS CLI and this library's clients use this service."""
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

    def load(self, state: Mapping[str, Any]) -> None:
        """Add definitions, runs, sessions and acts, as `json.load` reads them from a file.

            {"definitions": [{"name": "checkout", "runs": [
                {"status": "FAILED", "started_at": -3600, "sessions": [{"acts": [{"status": "FAILED"}]}]},
                {"sessions": 34}]}]}

        Args:
            state: what to add. Each object can have the arguments of `add_definition`, `add_run` or `add_act`; a run
                has `sessions`, and a session `session_id` and `acts`. A time is a number of seconds since the epoch, or
                before now if it is negative, or ISO 8601 as a str.

        Raises:
            ValueError: something cannot be added. The error names its place, such as `definitions[0].runs[2].status`.
                What stands before it was added.
        """
        with self._lock:
            world_state.load(self, state, self._world_now())

    def fail_next(
        self, code: str, message: str = _MESSAGE, *, times: int = 1, allow_unused: bool = False, **members: object
    ) -> None:
        """Answer the next requests that have a valid signature with an error of the service model.

        Args:
            code: the error code, such as `"ThrottlingException"`. The service model has its status.
            message: the service's message.
            times: the number of requests.
            allow_unused: whether a test may end before that many have come; see `assert_all_used`.
            members: the error's members, by their names on the exception, such as `retry_after_seconds=2`.

        Raises:
            ValueError: the code is not in the service model (use `answer_next` for other errors), or a number is not
                valid.
            TypeError: the error has no such member.
        """
        check_number("times", times, minimum=0, whole=True)
        effect = service_model.modelled_error(code, message, **members)
        self._add(ScheduledFault(name=code, effect=effect, times=times, allow_unused=allow_unused))

    def answer_next(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        *,
        allow_unused: bool = False,
    ) -> None:
        """Answer the next request that has a valid signature with exactly this response, as a gateway might.

        The headers Date, x-amzn-RequestId and Content-Length are added if they are not given.

        Raises:
            TypeError: the body is not bytes.
            ValueError: the status is not from 200 to 999, or a header cannot be sent.
        """
        check_number("status", status, minimum=200, maximum=999, whole=True)
        if not isinstance(body, bytes):
            raise TypeError(f"the body must be bytes, not {type(body).__name__}")
        for name, value in (headers or {}).items():
            http.check_header(name, value)
        effect = Answer(status=status, headers=dict(headers or {}), body=body)
        self._add(
            ScheduledFault(name=f"the answer with status {status}", effect=effect, times=1, allow_unused=allow_unused)
        )

    def inject(
        self,
        fault: str,
        *,
        times: int | None = None,
        every: int | None = None,
        chance: float | None = None,
        seconds: float | None = None,
        operation: str | None = None,
        workflow_run_id: str | None = None,
        after_work: bool = False,
        allow_unused: bool = False,
        message: str = _MESSAGE,
        **members: object,
    ) -> None:
        """Inject a fault into requests that have a valid signature: into all of them, or on a schedule.

        If several faults are due, the one added first applies. Those of `fail_next` and `answer_next` count, too.

        Args:
            fault: the code of an error in the service model, such as `"ThrottlingException"`; or a connection fault:
                `"refuse"` (reset the connection, and refuse all connections for a while), `"reset"`, `"reset-mid"`,
                `"reset-after"` (reset it before, in or after the response), `"truncate"` (close it in the middle of the
                response's body), `"drip"` (send a byte at a time), `"stall"` (send nothing), `"close"` (close it after
                the response, without announcing it). The text may also have the operation and the
                schedule: `"AccessDeniedException on ListActs"`, `"reset next 2"`, `"drip for 0.1s 10 %"`.
            times: the number of requests that it applies to at most.
            every: with 3, the fault applies to every third request.
            chance: the probability from 0 to 1 that the fault applies to a request, by the service's seed.
            seconds: for `"refuse"`, how long connections are refused (0.2 by default); for `"reset-mid"` and
                `"reset-after"`, how long the client can read before the reset (0.2); for `"drip"`, the time between
                two bytes (0.001). Other faults do not take it.
            operation: the only operation that it applies to, such as `"CreateAct"`.
            workflow_run_id: the only run that it applies to.
            after_work: whether the service does its work before the fault: the answer is lost, or is an error although
                all was done. Faults that break the response itself come after the work in any case.
            allow_unused: whether a test may end although the fault has not come, or not as often as asked for; see
                `assert_all_used`.
            message: the error's message.
            members: the error's members, by their names on the exception, such as `retry_after_seconds=2`.

        Raises:
            ValueError: there is no such operation, or schedule, or a part of the schedule is given twice.
            TypeError: the error has no such member.
        """
        spec = FaultSpecification.parse(
            fault, operation=operation, times=times, every=every, chance=chance, seconds=seconds
        )
        effect: Answer | ConnectionFault
        if spec.fault in CONNECTION_FAULTS:
            if members:
                raise TypeError(
                    f"{spec.fault} has no {', '.join(sorted(members))}: it is a fault of the connection, not an error"
                )
            wait = CONNECTION_FAULTS[spec.fault] if spec.seconds is None else spec.seconds
            effect = ConnectionFault(spec.fault, wait)
        elif spec.fault[0].isupper():
            effect = service_model.modelled_error(spec.fault, message, **members)
        else:
            raise ValueError(
                f"{spec.fault!r} is not a fault: use {', '.join(CONNECTION_FAULTS)} or the code of an error"
            )
        if spec.seconds is not None and not CONNECTION_FAULTS.get(spec.fault):
            takers = ", ".join(name for name, default in CONNECTION_FAULTS.items() if default)
            raise ValueError(f"{spec.fault} takes no seconds, only {takers} do; use latency to delay all responses")
        if spec.operation is not None:
            known = service_model.model().operation_names
            check("operation", spec.operation, f"one of {', '.join(known)}", valid=spec.operation in known)
        check("after_work", after_work, "True or False", valid=isinstance(after_work, bool))
        check("allow_unused", allow_unused, "True or False", valid=isinstance(allow_unused, bool))
        breaks_response = isinstance(effect, ConnectionFault) and effect.kind not in FAULTS_WITHOUT_RESPONSE
        self._add(
            ScheduledFault(
                name=spec.fault,
                effect=effect,
                times=spec.times,
                every=spec.every,
                chance=spec.chance,
                operation=operation,
                workflow_run_id=workflow_run_id,
                is_after_work=after_work or breaks_response,
                allow_unused=allow_unused,
            )
        )

    def clear_faults(self) -> None:
        """Remove all faults, also those of `fail_next` and `answer_next`."""
        with self._lock:
            self._schedule.clear()

    def assert_all_used(self) -> None:
        """Check that all faults have come, also those of `fail_next` and `answer_next`. pytest does it after each test.

        One with a number of times must have come as often; others at least once, but not those that come by chance.

        Raises:
            AssertionError: some have not come.
        """
        with self._lock:
            unused = self._schedule.unused()
        if unused:
            raise AssertionError(
                f"faults that did not come: {', '.join(unused)}; if that is meant, pass allow_unused=True, or call "
                "clear_faults()"
            )

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse new connections within a `with` block. Its start closes the open connections."""
        server = self._running()
        server.refuse()
        try:
            yield
        finally:
            server.accept()

    def start(self) -> Self:
        """Start listening. When it returns, the service is ready for requests.

        Raises:
            OSError: the port is not free.
            ConfigurationError: `tls` is set, but the extra `testing` is not installed.
        """
        if self._server is None:
            context = None
            if self._tls:
                context, self.ca_file = certificates.make(self._reachable.strip("[]"), self._files)
            self._server = Server(self._reply, self._port, context, self._count_connection, self._host)
        return self

    def close(self) -> None:
        """Stop listening, and close all connections. Closing it again does nothing."""
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

    def _world_now(self) -> float:
        return self._now() + self.advanced

    def _now(self) -> float:
        return (time.time() if self._clock is None else self._clock()) + self.clock_offset

    def _add(self, scheduled: ScheduledFault) -> None:
        expect(self)
        with self._lock:
            self._schedule.add(scheduled)

    def _count_connection(self) -> None:
        self.connections += 1

    def _reply(self, request: ReceivedRequest) -> Reply:
        """Return the reply to a request. The server's thread calls it."""
        with self._lock:
            now = self._now()
            route = service_model.find_route(request.method, request.target.partition("?")[0])
            answer, fault = self._verifier.refusal(request, now), None
            if answer is None:
                answer, fault = self._carry_out(request, route)
            if self._records_requests:
                self.requests.append(request)
                self.calls.append(ServiceCall(route, request, answer))
            answer = answer or _NOTHING
            head = http.encode_head(answer, self._nova_act.new_request_id(), now)
            delay = self.latency + (self._random.uniform(0, self.jitter) if self.jitter else 0.0)
        return Reply(head, answer.body, delay, fault)

    def _carry_out(self, request: ReceivedRequest, route: Route | None) -> tuple[Answer | None, ConnectionFault | None]:
        """Return the answer to a request whose signature is valid, and what is done to its connection.

        The answer is None if there is none, as the fault leaves none to send.
        """
        planned = self._schedule.next(*_operation_and_run(route, request))
        if planned is None:
            return self._throttled() or self._nova_act.answer(route, request), None
        answer = None
        if planned.is_after_work:
            answer = self._throttled() or self._nova_act.answer(route, request)
        if isinstance(planned.effect, Answer):
            return planned.effect, None
        return answer, planned.effect

    def _throttled(self) -> Answer | None:
        wait = self._bucket.take(time.monotonic()) if self._bucket is not None else 0.0
        if not wait:
            return None
        return service_model.modelled_error("ThrottlingException", "Rate exceeded", retry_after_seconds=math.ceil(wait))


def _operation_and_run(route: Route | None, request: ReceivedRequest) -> tuple[str | None, str | None]:
    """Return the names of the operation and of the run that a request is for."""
    if route is None:
        return None, None
    run_id = route.labels.get("workflowRunId")
    if run_id is None:
        run_id = dict(parse_qsl(request.target.partition("?")[2])).get("workflowRunId")
    return route.operation.name, run_id


def _is_address(host: object) -> bool:
    try:
        ip_address(host if isinstance(host, str) else "")
    except ValueError:
        return False
    return True
