"""A CA bundle that cannot be read: because this machine has no file descriptor left, or because it is not there."""

from __future__ import annotations

import errno
import ssl
from typing import TYPE_CHECKING

import certifi
import pytest

from novaact_http._http import tls
from novaact_http.errors import ConfigurationError, TransportError
from tests.helpers.calls import CALL, OPTIONS
from tests.helpers.platforms import needs_resource
from tests.helpers.programs import run_python

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.both_clients import Face

PROGRAM = """
    import asyncio, certifi, email.utils, http, os, resource, ssl, sys
    import anyio._backends._asyncio, httpcore, httpx
    from novaact_http import AsyncClient, Client, Credentials, RetryPolicy, TransportError
    import novaact_http._http.httpx_sender, novaact_http._needed_packages
    from novaact_http.models import ListSessionsResponse

    kind, verify = sys.argv[1], sys.argv[2] or None
    keys = Credentials(access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key="x" * 40)
    policy = RetryPolicy(max_attempts=2, rng=lambda: 0.0)
    options = dict(
        region="us-east-1", credentials=keys, endpoint_url="https://127.0.0.1:9", retries=policy, verify=verify
    )
    if kind.endswith("httpx"):
        os.environ["HTTPS_PROXY"] = "http://127.0.0.1:9"
    names = dict(workflow_definition_name="a", workflow_run_id="b")
    ssl.create_default_context(cafile=certifi.where())
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    def exhaust():
        opened = []
        try:
            while True:
                opened.append(os.open("/dev/null", os.O_RDONLY))
        except OSError:
            return opened

    def tell(error):
        print(error.request_sent, error.attempts, error)

    def blocking():
        client, opened = Client(**options), exhaust()
        try:
            client.list_sessions(**names)
        except TransportError as error:
            for each in opened:
                os.close(each)
            tell(error)
        try:
            client.list_sessions(**names)
        except TransportError as error:
            tell(error)

    async def asynchronous():
        client, opened = AsyncClient(**options), exhaust()
        try:
            await client.list_sessions(**names)
        except TransportError as error:
            for each in opened:
                os.close(each)
            tell(error)
        try:
            await client.list_sessions(**names)
        except TransportError as error:
            tell(error)

    blocking() if kind.startswith("blocking") else asyncio.run(asynchronous())
"""


@needs_resource
@pytest.mark.parametrize("bundle", ["", certifi.where()], ids=["certifi's", "the user's"])
@pytest.mark.parametrize("kind", ["blocking", "asynchronous", "blocking httpx", "asynchronous httpx"])
def test_a_bundle_that_no_file_descriptor_is_left_for_fails_like_a_connection(kind: str, bundle: str) -> None:
    first, second = run_python("-c", PROGRAM, kind, bundle).stdout.splitlines()
    assert first.startswith("False 2 no response from https://127.0.0.1:9")
    assert "Too many open files" in first
    assert second.startswith("False 2 no response from https://127.0.0.1:9")
    assert "Too many open files" not in second


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_certifis_bundle_that_cannot_be_used_is_named(
    face: Face, tmp_path: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cacert.pem"
    if content is not None:
        path.write_text(content)
    monkeypatch.setattr(certifi, "where", lambda: str(path))
    monkeypatch.setattr(tls, "_contexts", tls._Contexts())
    with pytest.raises(
        ConfigurationError, match=r"^certifi's bundle is '.*cacert\.pem', which cannot be used"
    ) as caught:
        face.page({**OPTIONS, "endpoint_url": "https://127.0.0.1:9"}, **CALL)
    error = caught.value
    assert (error.setting, error.source) == ("verify", "certifi's bundle")
    assert error.advice == "install certifi again, or pass the path of another bundle"


@pytest.mark.parametrize("proxy", ["", "http://127.0.0.1:9"])
def test_a_machine_without_file_descriptors_is_a_transport_error(
    face: Face, proxy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(**_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setenv("HTTPS_PROXY", proxy)
    monkeypatch.setattr(ssl, "create_default_context", exhausted)
    monkeypatch.setattr(tls, "_contexts", tls._Contexts())
    with pytest.raises(TransportError, match="Too many open files") as caught:
        face.page({**OPTIONS, "endpoint_url": "https://127.0.0.1:9"}, **CALL)
    assert not caught.value.request_sent
