"""TLS contexts. One takes about 20 ms to build, so each process builds one per CA bundle, when it is first needed."""

from __future__ import annotations

import errno
import os
import threading
from functools import partial
from typing import TYPE_CHECKING

from novaact_http._support.fork_safety import renew_after_fork
from novaact_http._support.interruptions import comes_from_signal_handler
from novaact_http.errors import ConfigurationError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable


# Not the bundle's fault, and may pass: the connection fails like one for which there is no socket.
_EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})


class _Contexts:
    """The TLS contexts of this process, by the path of the CA bundle."""

    def __init__(self) -> None:
        self._known: dict[str | None, ssl.SSLContext] = {}
        self._lock = threading.RLock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()

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
    """Return a function that returns the TLS context.

    The function raises a `ConfigurationError` if the CA bundle cannot be used, and an OSError if this machine has no
    file descriptors or memory left to read it.

    Args:
        verify: the path of a CA bundle, a context to use as it is, or None for certifi's bundle, or the
            system's trust store if certifi is not installed.
        scheme: `"https"` or `"http"`; for `"http"`, no CA bundle is read.
        source: where `verify` came from, for error messages.

    Raises:
        ConfigurationError: `verify` is something else.
    """
    path = os.fspath(verify) if isinstance(verify, (str, os.PathLike)) else None
    if verify is not None and not path:
        import ssl  # takes 8 ms to import, and plain HTTP does not need it

        if isinstance(verify, ssl.SSLContext):
            return lambda: verify
        from novaact_http._support.short_repr import short_repr  # only errors need it

        raise ConfigurationError(
            f"is {short_repr(verify)}, which is not the path of a CA bundle",
            setting="verify",
            source=source,
            advice="pass a path or an ssl.SSLContext; to connect without verification, pass a context set up for that",
        )
    if scheme == "http":
        return _trusting_nobody
    return partial(_contexts.get, path, source)


def _trusting_nobody() -> ssl.SSLContext:
    import ssl

    return ssl.SSLContext(
        ssl.PROTOCOL_TLS_CLIENT
    )  # for httpx's transports: they require a context, also for plain HTTP


def _build(ca_bundle: str | None, source: str) -> ssl.SSLContext:
    import ssl

    context = _load(ca_bundle, source)
    # Python before 3.11.3 sets it, and then takes a connection that was cut for one that has ended. Not every OpenSSL
    # has it.
    context.options &= ~getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load(ca_bundle: str | None, source: str) -> ssl.SSLContext:
    """Return a context that trusts a CA bundle.

    Raises:
        ConfigurationError: it cannot be used.
        OSError: this machine has no file descriptors or memory left for it now.
    """
    import ssl

    advice = "use the path of a PEM file, or of a directory of hashed ones"
    try:
        if ca_bundle is None:
            try:
                import certifi
            except ModuleNotFoundError:  # only httpx depends on it, and the slim installation has none
                return _trusting_as_the_system_does()
            source, advice = "certifi's bundle", "install certifi again, or pass the path of another bundle"
            ca_bundle = certifi.where()
        elif os.path.isdir(ca_bundle):  # noqa: PTH112 - pathlib is not worth importing for it
            return ssl.create_default_context(capath=ca_bundle)
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError; a path with a NUL is a ValueError
        if comes_from_signal_handler(error):
            raise
        if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) and error.errno in _EXHAUSTED:
            raise
        raise ConfigurationError(
            f"is {ca_bundle!r}, which cannot be used as a CA bundle ({error})",
            setting="verify",
            source=source,
            advice=advice,
        ) from error


def _trusting_as_the_system_does() -> ssl.SSLContext:
    import ssl

    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath  # OpenSSL looks into it when it meets a certificate
    if not context.cert_store_stats()["x509_ca"] and not (folder and os.listdir(folder)):  # noqa: PTH208 - see above
        raise ConfigurationError(
            "has no CA certificates",
            setting="verify",
            source="the system's trust store",
            advice="install the system's package ca-certificates, pip install certifi, or pass the path of a CA bundle",
        )
    return context
