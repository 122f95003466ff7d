"""What importing and using the library loads, in fresh interpreters: start-up time is a promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import novaact_http
from novaact_http import errors, transports
from tests.helpers.programs import loaded_after, modules_after

if TYPE_CHECKING:
    from novaact_http.testing import LocalService


CLIENT = (
    "from novaact_http import Client, Credentials\n"
    "keys = Credentials(access_key_id='a', secret_access_key='b')\n"
    "client = Client(region='us-east-1', credentials=keys, endpoint_url='http://127.0.0.1:9')\n"
)
CALL = (
    "try: client.list_sessions(workflow_definition_name='a', workflow_run_id='b')\n"
    "except Exception as error: assert type(error).__name__ == 'TransportError', error\n"
)


# stringprep belongs to the codec for host names that are not ASCII, which takes longer to load than a call takes.
HEAVY = {
    "attr",
    "anyio",
    "botocore",
    "boto3",
    "click",
    "h11",
    "httpcore",
    "httpx",
    "opentelemetry",
    "rich",
    "stringprep",
}


@pytest.mark.parametrize("code", ["import novaact_http", CLIENT, CLIENT + CALL], ids=["import", "client", "call"])
def test_the_synchronous_client_loads_neither_httpx_nor_botocore_nor_asyncio(code: str) -> None:
    assert not loaded_after(code) & {*HEAVY, "asyncio", "ssl", "concurrent"}


def test_a_client_loads_no_operation_and_a_call_only_its_own() -> None:
    def operations(code: str) -> set[str]:
        inner = "novaact_http._operations."
        return {each.removeprefix(inner) for each in modules_after(code) if each.startswith(inner)}

    shared = {"common", "service_errors", "shapes"}
    assert operations(CLIENT) == shared
    assert operations(CLIENT + CALL) == shared | {"sessions"}


@pytest.mark.parametrize("from_environment", [True, False])
def test_listing_with_given_keys_or_those_of_the_environment_loads_no_other_library(
    service: LocalService, from_environment: bool
) -> None:
    variables, keys = service.environ, service.credentials
    static = f"Credentials(access_key_id={keys.access_key_id!r}, secret_access_key={keys.secret_access_key!r})"
    if not from_environment:
        variables = {name: value for name, value in variables.items() if "KEY" not in name}
    arguments = (service.runs[0].workflow_definition_name, service.runs[0].workflow_run_id)
    code = (
        "import asyncio\n"
        "from novaact_http import AsyncClient, Client, Credentials\n"
        f"keys = {None if from_environment else static}\n"
        f"call = dict(zip(('workflow_definition_name', 'workflow_run_id'), {arguments}))\n"
        "with Client(credentials=keys) as client: assert list(client.iter_sessions(**call))\n"
        "assert asyncio.run(AsyncClient(credentials=keys).list_sessions(**call)).session_summaries\n"
    )
    assert not loaded_after(code, variables) & HEAVY


@pytest.mark.parametrize("keys", ["keys", "None", "lambda: keys"])
def test_modules_for_botocores_credentials_and_for_proxies_are_loaded_only_when_needed(
    keys: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    code = CLIENT.replace("credentials=keys", f"credentials={keys}") + CALL
    loaded = modules_after(code)
    assert "novaact_http._aws.credential_cache" in loaded
    for_few = {"_aws.botocore_credentials", "_aws.proxies", "_needed_packages"}
    assert not loaded & {f"novaact_http.{each}" for each in for_few}
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert "novaact_http._aws.proxies" in modules_after(CLIENT)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    assert "novaact_http._aws.botocore_credentials" in modules_after(CLIENT.replace("credentials=keys, ", ""))


def test_random_numbers_are_loaded_only_to_wait_before_a_retry() -> None:
    assert "random" not in loaded_after(CLIENT)
    assert "random" in loaded_after(CLIENT + CALL)


def test_importing_the_package_loads_only_the_table_of_its_names() -> None:
    assert not loaded_after("import novaact_http") & {*HEAVY, "json", "socket", "threading", "asyncio"}


def test_everything_public_is_listed_and_found() -> None:
    assert set(novaact_http.__all__) <= set(dir(novaact_http))
    for name in novaact_http.__all__:
        assert getattr(novaact_http, name) is not None
    assert novaact_http.LeanTransport is transports.LeanTransport
    assert novaact_http.errors is errors
    with pytest.raises(AttributeError, match="module 'novaact_http' has no attribute 'Klient'"):
        _ = novaact_http.Klient  # type: ignore[attr-defined]
