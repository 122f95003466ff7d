"""A certificate for the local service, made when it starts."""

from __future__ import annotations

import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from novaact_http._needed_packages import needed

if TYPE_CHECKING:
    import contextlib


def make(host: str, files: contextlib.ExitStack) -> tuple[ssl.SSLContext, str]:
    """Make a certificate for a host name or address of this machine.

    Returns:
        The server's TLS context, and the path of a CA bundle that trusts it. Closing `files` deletes the bundle.

    Raises:
        ConfigurationError: trustme is not installed.
    """
    with needed("trustme", by="LocalService(tls=True)", install="'novaact-http[testing]'"):
        import trustme

    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host, "localhost").configure_cert(context)
    folder = Path(files.enter_context(tempfile.TemporaryDirectory(prefix="novaact-local-")))
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    return context, str(ca_file)
