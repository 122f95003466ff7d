"""Interrupts calls of `Client` by a signal whose handler raises, at random moments, and checks what is left.

Run it with `.venv/bin/python bench/interruptions.py --count 20000`. It must lose no place in the pool, no client, and
no exception but those that Python itself drops: in `__del__`, and in the callbacks of weak references.
"""

from __future__ import annotations

import argparse
import collections
import gc
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import trustme

from novaact_http import Client, Credentials, NovaActError, RetryPolicy

CALL: dict[str, Any] = {
    "workflow_definition_name": "checkout-flow",
    "workflow_run_id": "01234567-89ab-4cde-8f01-23456789abcd",
}
KEYS = Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
PAGE = b'{"sessionSummaries": []}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(PAGE), PAGE)
PATIENCE = 20.0  # seconds; then a client counts as lost


class Interruption(Exception):  # noqa: N818 - what a handler raises need not be an error
    """What the signal handler raises: an `Exception`, as Celery's soft time limit is."""


class Tally:
    """What has happened.

    Attributes:
        raised: how many exceptions the handler has raised.
        came_out: how many of them came out of the call.
        dropped: how many Python itself dropped, by where.
        others: what else came out, by type.
        lost: how many clients made no call afterwards.
    """

    def __init__(self) -> None:
        self.raised = self.came_out = self.lost = 0
        self.dropped: collections.Counter[str] = collections.Counter()
        self.others: collections.Counter[str] = collections.Counter()

    def interrupt(self, *_: object) -> None:
        self.raised += 1
        raise Interruption

    def drop(self, unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, Interruption):
            self.dropped[getattr(unraisable.object, "__qualname__", type(unraisable.object).__name__)] += 1
        else:
            self.others[f"dropped {unraisable.exc_type.__name__}"] += 1


def serve(certificate: str) -> None:
    """Answer all requests, until standard input ends. Prints the port."""
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    def answer(accepted: socket.socket) -> None:
        try:
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connected = context.wrap_socket(accepted, server_side=True) if context else accepted
            while connected.recv(65_536):
                connected.sendall(ANSWER)
        except OSError:
            pass
        finally:
            accepted.close()

    def accept() -> None:
        while True:
            threading.Thread(target=answer, args=(listener.accept()[0],), daemon=True).start()

    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(listener.getsockname()[1], flush=True)
    threading.Thread(target=accept, daemon=True).start()
    sys.stdin.read()


def campaign(options: dict[str, Any], *, fetches: bool, count: int, chance: random.Random) -> tuple[Tally, int]:
    """Interrupt calls. Return what happened, and how many places in the pools are held by nothing.

    Args:
        options: of the client.
        fetches: whether each call has credentials to fetch, so that it needs a client of its own.
        count: how many interruptions.
        chance: when they come.
    """
    tally, places = Tally(), 0
    signal.signal(signal.SIGALRM, tally.interrupt)
    sys.unraisablehook = tally.drop

    def make() -> Client:
        return Client(**options, credentials=(lambda: KEYS) if fetches else KEYS)

    client = make()
    client.list_sessions(**CALL)
    longest = 1.3 * typical_seconds(make if fetches else lambda: client)
    while tally.raised < count:
        if fetches:
            client = make()
        try:
            try:
                signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, longest))
                client.list_sessions(**CALL)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
        except Interruption:
            tally.came_out += 1
        except Exception as error:  # noqa: BLE001 - to be counted
            tally.others[type(error).__name__] += 1
        try:
            client.with_options(timeout=PATIENCE).list_sessions(**CALL)
        except NovaActError as error:
            tally.lost += 1
            print("lost a client:", error)
        if fetches:
            places += lost_places(client)
            client.close()
    places += 0 if fetches else lost_places(client)
    client.close()
    return tally, places


def typical_seconds(make: Any) -> float:
    """Return how long a call takes."""
    times = []
    for _ in range(50):
        client = make()
        began = time.perf_counter()
        client.list_sessions(**CALL)
        times.append(time.perf_counter() - began)
    return sorted(times)[25]


def lost_places(client: Client) -> int:
    """Return how many places of the client's pool are taken, though no call is under way."""
    pool: Any = client._senders.pool()  # noqa: SLF001 - no user can see it
    connections: Any = pool._connections  # noqa: SLF001
    if connections.count != len(connections.idle()):
        gc.collect()  # what a reference cycle holds is not lost
    return int(connections.count) - len(connections.idle())


def main() -> None:
    """Interrupt calls over plain HTTP and TLS, with keys and with credentials to fetch, and print what happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="interruptions in all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        serve(given.serve)
        return
    authority = trustme.CA()
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        pem = Path(folder, "server.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(pem))
        for scheme, certificate in (("http", ""), ("https", str(pem))):
            with subprocess.Popen(
                [sys.executable, __file__, "--serve", certificate],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            ) as server:
                assert server.stdout is not None
                options: dict[str, Any] = {
                    "region": "us-east-1",
                    "endpoint_url": f"{scheme}://127.0.0.1:{server.stdout.readline().strip()}",
                    "retries": RetryPolicy(mode="off"),
                    "verify": trusting,
                }
                for fetches in (False, True):
                    chance = random.Random(given.seed)
                    tally, places = campaign(options, fetches=fetches, count=given.count // 4, chance=chance)
                    dropped = sum(tally.dropped.values())
                    vanished = tally.raised - tally.came_out - dropped
                    print(
                        f"{scheme}, {'fetching credentials' if fetches else 'with keys'}: "
                        f"{tally.raised} interruptions, {tally.came_out} came out, "
                        f"{dropped} dropped by Python {dict(tally.dropped)}, {vanished} vanished, "
                        f"{tally.lost} clients and {places} places lost, others {dict(tally.others)}",
                        flush=True,
                    )
                    failed |= bool(vanished or tally.lost or places or tally.others)
    sys.exit(failed)


if __name__ == "__main__":
    main()
