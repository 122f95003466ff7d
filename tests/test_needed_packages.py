"""Without a package that a feature needs, the error says what needs it and how to install it; all else works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from novaact_http import ConfigurationError, CredentialsError
from novaact_http._clients.base import httpx_needed
from novaact_http._needed_packages import needed
from tests.helpers.programs import run_slim

if TYPE_CHECKING:
    from pathlib import Path

    from novaact_http.testing import LocalService

SLIM = """
import novaact_http, sys
from novaact_http import Client, AsyncClient, Credentials, NovaActError
keys = Credentials(access_key_id="a", secret_access_key="b")
call = {"workflow_definition_name": "a", "workflow_run_id": "b"}
"""
CLIENT = "Client(region='us-east-1', credentials=keys, endpoint_url='http://127.0.0.1:9', retries=None"
HTTPX = "cannot be used without httpx (No module named 'httpx'): install it with pip install httpx"
BOTOCORE = "cannot be used without botocore (No module named 'botocore'): install it with pip install botocore"
OPENTELEMETRY = (
    "cannot be used without opentelemetry-api (No module named 'opentelemetry'): "
    "install it with pip install 'novaact-http[opentelemetry]'"
)
KEYS = "pass credentials=..., set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or install it with pip install botocore"
NO_KEYS = f"cannot be used without botocore (No module named 'botocore'): {KEYS}"


CHAIN = "botocore's chain of providers"
FOUND = "profiles, SSO, containers, instances"
ASYNC_CALL = """
    import asyncio
    async def main():
        await AsyncClient(region='us-east-1', credentials={keys}).list_sessions(**call)
    asyncio.run(main())
"""
PROXY = "import os; os.environ['HTTPS_PROXY'] = 'http://127.0.0.1:9'\n    "


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("from novaact_http import LeanTransport", f"novaact_http.transports {HTTPX}"),
        ("from novaact_http import LeanAsyncTransport", f"novaact_http.transports {HTTPX}"),
        ("import novaact_http.transports", f"novaact_http.transports {HTTPX}"),
        ("import novaact_http.opentelemetry", f"novaact_http.opentelemetry {OPENTELEMETRY}"),
        ("from novaact_http.testing import replay", f"replay {HTTPX}"),
        ("from novaact_http.testing import Recorder", f"Recorder {HTTPX}"),
        ("from novaact_http.testing import LocalService", f"the local service {BOTOCORE}"),
        ("from novaact_http.testing._local_service import nova_act", f"the local service {BOTOCORE}"),
        ("from novaact_http.testing._local_service import authorization", f"the local service {BOTOCORE}"),
        (f"{CLIENT}, transport=object())", f"the argument transport {HTTPX.replace(': ', ': pass none, or ')}"),
        (f"{CLIENT}, signer=novaact_http.BotocoreSigner()).list_sessions(**call)", f"BotocoreSigner {BOTOCORE}"),
        ("Client(region='us-east-1').list_sessions(**call)", f"{CHAIN} ({FOUND}) {NO_KEYS}"),
        (ASYNC_CALL.format(keys=None), f"{CHAIN} ({FOUND}) {NO_KEYS}"),
        (
            "Client(region='us-east-1', profile='dev').list_sessions(**call)",
            f"{CHAIN} (the profile 'dev') {NO_KEYS}",
        ),
        (f"{PROXY}Client(region='us-east-1', credentials=keys).list_sessions(**call)", f"HTTPS_PROXY {HTTPX}"),
        (PROXY + ASYNC_CALL.format(keys="keys"), f"HTTPS_PROXY {HTTPX}"),
    ],
)
def test_what_needs_a_package_says_so(code: str, message: str, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text("[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/r\n")
    # The cause is there for those who look; nothing else may be.
    printed = run_slim(
        f"{SLIM}try:\n    {code}\n"
        "except NovaActError as error:\n    print(error, type(error.__cause__).__name__, sep='\\n')",
        {"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")},
    )
    assert printed.splitlines() == [message, "ModuleNotFoundError"]


def test_lists_waits_and_fails_with_attrs_alone(service: LocalService) -> None:
    listed = run_slim(
        SLIM
        + """
import asyncio
from novaact_http import errors, models
from novaact_http.testing import make_error, make_page

with Client() as client:
    client.ensure_workflow_definition(name="slim")
    client.create_workflow_run(workflow_definition_name="slim", model_id="nova-act-latest",
        client_info=models.ClientInfo(compatibility_version=1))
    try:
        client.get_workflow_definition(workflow_definition_name="missing")
    except errors.ResourceNotFoundException as error:
        print(error.code)
    print(len(list(client.iter_workflow_definitions(page_size=1))) > 1)

async def main():
    async with AsyncClient() as client:
        ids = [each async for each in client.iter_workflow_runs(workflow_definition_name="slim")]
        print(len(ids))

asyncio.run(main())
print(len(make_page(3).session_summaries), make_error("ThrottlingException").code)
print(sorted(set(sys.modules) & {*"httpx botocore certifi".split()}))
""",
        service.environ,
    )
    assert listed.splitlines() == ["ResourceNotFoundException", "True", "1", "3 ThrottlingException", "[]"]


def test_a_package_that_is_there_but_misses_another_is_named_too() -> None:
    with pytest.raises(ConfigurationError) as caught, needed("httpx", by="this"):
        raise ModuleNotFoundError("No module named 'httpcore'", name="httpcore")
    error = caught.value
    assert str(error) == (
        "this cannot be used without httpx (No module named 'httpcore'): install it with pip install httpx"
    )
    assert (error.source, error.setting, error.advice) == ("this", None, "install it with pip install httpx")


def test_it_may_name_another_thing_to_install() -> None:
    with pytest.raises(ConfigurationError, match=r"install it with pip install 'novaact-http\[testing\]'$"):  # noqa: SIM117
        with needed("trustme", by="this", install="'novaact-http[testing]'"):
            raise ModuleNotFoundError


def test_what_is_missing_for_credentials_is_a_credentials_error() -> None:
    with pytest.raises(CredentialsError) as caught, needed("botocore", by="this", setting="credentials"):
        import missing  # type: ignore[import-not-found]  # noqa: F401
    assert (caught.value.setting, caught.value.source) == ("credentials", "this")


def test_other_errors_of_an_import_are_left_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError), needed("httpx", by="this"):
        _ = 1 / 0
    with needed("httpx", by="this"):
        pass


@pytest.mark.parametrize(
    ("transport", "proxy", "start"),
    [
        (object(), None, "the argument transport "),
        (None, ("http://secret@proxy", "HTTPS_PROXY"), "HTTPS_PROXY "),
        (None, None, "a tool that replaces functions of httpx "),
    ],
)
def test_what_sends_through_httpx_says_why(transport: object, proxy: tuple[str, str] | None, start: str) -> None:
    with pytest.raises(ConfigurationError) as caught, httpx_needed(transport, proxy):
        raise ModuleNotFoundError
    assert str(caught.value).startswith(start)
    assert caught.value.setting == (None if transport is None else "transport")
    assert "secret" not in str(caught.value)
