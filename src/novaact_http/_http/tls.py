"""TLS contexts. Building one takes some 20 ms, so there is one per process and CA bundle, built when first needed."""

from __future__ import annotations

import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from novaact_http._support.fork_safety import renew_after_fork
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable


class _Contexts:
    """Those of this process, by the path of the CA bundle."""

    def __init__(self) -> None:
        self._known: dict[str | None, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.Lock()

    def get(self, ca_bundle: str | None, source: str) -> ssl.SSLContext:
        with self._lock:
            known = self._known.get(ca_bundle)
            if known is None:
                known = self._known[ca_bundle] = _build(ca_bundle, source)
            return known


_contexts = _Contexts()


def provider(
    verify: str | os.PathLike[str] | ssl.SSLContext | None, *, scheme: str, source: str = "the argument verify"
) -> Callable[[], ssl.SSLContext]:
    """Return what makes the TLS context when it is needed.

    Args:
        verify: the path of a CA bundle, a context to use as it is, or None for certifi's bundle.
        scheme: of what is connected to; none of this is read for `"http"`.
        source: where `verify` came from, for the message of an error.

    Raises:
        ConfigurationError: `verify` is something else.
    """
    path = os.fspath(verify) if isinstance(verify, (str, os.PathLike)) else None
    if verify is not None and not path:
        import ssl  # 8 ms to import, and not needed for plain HTTP

        if isinstance(verify, ssl.SSLContext):
            return lambda: verify
        raise ConfigurationError(
            f"is {verify!r}, which is not the path of a CA bundle",
            setting="verify",
            source=source,
            advice="pass a path or an ssl.SSLContext; to connect without verification, pass a context set up for that",
        )
    if scheme == "http":
        return _trusting_nobody
    return partial(_contexts.get, path, source)


def _trusting_nobody() -> ssl.SSLContext:
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # for httpx's transports, which take one even if they need none


def _build(ca_bundle: str | None, source: str) -> ssl.SSLContext:
    context = _load(ca_bundle, source)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(ca_bundle: str | None, source: str) -> ssl.SSLContext:
    import ssl

    if ca_bundle is None:
        import certifi  # always there, as httpx depends on it

        return ssl.create_default_context(cafile=certifi.where())
    try:
        if os.path.isdir(ca_bundle):  # noqa: PTH112 - pathlib is not worth importing for it
            return ssl.create_default_context(capath=ca_bundle)
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a path with a NUL is a ValueError
        raise ConfigurationError(
            f"is {ca_bundle!r}, which cannot be used as a CA bundle ({error})",
            setting="verify",
            source=source,
            advice="use the path of a PEM file, or of a directory of hashed ones",
        ) from error
