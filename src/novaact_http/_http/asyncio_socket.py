"""How a connection on asyncio is opened: DNS, TCP to the first address that answers (RFC 8305), and TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from typing import TYPE_CHECKING, Any

from novaact_http._http import happy_eyeballs, host_names

with contextlib.suppress(RuntimeError):  # it cannot be imported once the interpreter is about to end
    # Or the event loop would read it from a file when it first needs a thread.
    import concurrent.futures.thread  # noqa: F401

if TYPE_CHECKING:
    from novaact_http._call.http_messages import Origin


async def connect(loop: asyncio.AbstractEventLoop, origin: Origin, timeout: float | None) -> socket.socket:
    """Return a socket that is connected to the first address that answers (RFC 8305). Raise OSError if none does.

    Args:
        loop: the running event loop.
        origin: where to connect to.
        timeout: seconds in which the caller ends it; each address gets its turn in that time. None for no limit.
    """
    addresses = happy_eyeballs.in_turn(await _addresses(loop, origin))
    if len(addresses) == 1:
        return await _connect_to(loop, *addresses[0])
    next_after = happy_eyeballs.next_address_after(len(addresses), timeout)
    attempts: set[asyncio.Task[socket.socket]] = set()
    last: BaseException | None = None
    try:
        while addresses or attempts:
            if addresses:
                attempts.add(loop.create_task(_connect_to(loop, *addresses.popleft())))
            ended, _ = await asyncio.wait(
                attempts, timeout=next_after if addresses else None, return_when=asyncio.FIRST_COMPLETED
            )
            for attempt in ended:
                attempts.discard(attempt)
                last = attempt.exception()
                if last is None:
                    return attempt.result()
    finally:
        for attempt in attempts:
            attempt.cancel()
            attempt.add_done_callback(_close_late)
    raise last or OSError(f"{origin.host} has no address")


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()


async def _addresses(loop: asyncio.AbstractEventLoop, origin: Origin) -> list[Any]:
    host, port = origin.host, origin.port
    if ":" in host or host[-1:].isdigit():
        address = host_names.for_resolver(host)
        with contextlib.suppress(OSError):  # an IP address needs no look-up, and so no thread
            return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    try:
        return await loop.getaddrinfo(host_names.for_resolver(host, loop), port, type=socket.SOCK_STREAM)
    except RuntimeError as error:  # the event loop's executor was shut down, or the process may not start threads
        raise OSError(f"{origin.host} was not looked up, as no thread could be had ({error})") from error


async def _connect_to(
    loop: asyncio.AbstractEventLoop, family: int, kind: int, protocol: int, _: str, address: Any
) -> socket.socket:
    connected = socket.socket(family, kind, protocol)
    try:
        connected.setblocking(False)
        await loop.sock_connect(connected, address)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connected.close()
        raise
    return connected


async def begin_tls(
    loop: asyncio.AbstractEventLoop, context: ssl.SSLContext, connected: socket.socket, origin: Origin
) -> ssl.SSLSocket:
    """Return a socket on which the TLS handshake is done. Raise OSError if it fails."""
    try:
        # The end of TCP without the end of TLS may be forged: RFC 9112, 9.8.
        wrapped = context.wrap_socket(
            connected,
            server_hostname=host_names.for_tls(origin.host, context),
            do_handshake_on_connect=False,
            suppress_ragged_eofs=False,
        )
    except BaseException:
        connected.close()
        raise
    try:
        while (needed := _shake_hands(wrapped)) is not None:
            await _ready(loop, wrapped.fileno(), needed)
    except BaseException:
        wrapped.close()
        raise
    return wrapped


def _shake_hands(wrapped: ssl.SSLSocket) -> type[OSError] | None:
    """Continue the handshake. Return what it waits for, or None if it is done. Raise OSError if it fails."""
    try:
        wrapped.do_handshake()
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as needed:
        return type(needed)
    return None


async def _ready(loop: asyncio.AbstractEventLoop, fd: int, needed: type[OSError]) -> None:
    ready = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (
        (loop.add_reader, loop.remove_reader)
        if needed is ssl.SSLWantReadError
        else (loop.add_writer, loop.remove_writer)
    )
    add(fd, tell)
    try:
        await ready
    finally:
        remove(fd)
