"""A certificate for the local service, made when it starts."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import contextlib


def make(host: str, files: contextlib.ExitStack) -> tuple[ssl.SSLContext, str]:
    """Make a certificate for a host name or address of this machine.

    Returns:
        The server's TLS context, and the path of a CA bundle that trusts it. Closing `files` deletes the bundle.

    Raises:
        RuntimeError: trustme is not installed.
    """
    try:
        import trustme
    except ModuleNotFoundError as error:
        raise RuntimeError(
            "LocalService(tls=True) needs trustme: install it with pip install 'novaact-http[testing]'"
        ) from error
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, "localhost").configure_cert(context)
    folder = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="novaact-local-")))
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return context, str(ca_file)
