"""Check an installation of the library with attrs alone, beside the local service: `with_attrs_alone.py CHECK`.

The checks are the functions below. The settings of the service are in the environment.
"""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import novaact_http
from novaact_http import AsyncClient, Client, Credentials, RetryPolicy, errors
from novaact_http.config import Poll
from novaact_http.models import WorkflowRunStatus

ABSENT = ("httpx", "botocore", "click", "rich", "jmespath")
AT_ONCE = RetryPolicy(rng=lambda: 0.0)
QUICKLY = Poll(initial=0.01)


def clients() -> None:
    """Paging, waiting, errors and retries, with the keys of the environment and with some that are passed."""
    with Client(retries=AT_ONCE) as client:
        assert client.list_workflow_definitions().metadata.attempts == 3, "the service fails twice at first"
        definitions = list(client.iter_workflow_definitions(page_size=1))
        name = definitions[0].workflow_definition_name
        runs = list(client.iter_workflow_runs(workflow_definition_name=name))
        run = {"workflow_definition_name": name, "workflow_run_id": runs[0].workflow_run_id}
        sessions = [each.session_id for each in client.iter_sessions(**run, page_size=10)]
        ended = client.wait_for_workflow_run(**run, until=list(WorkflowRunStatus), poll=QUICKLY)
        assert ended.workflow_run_id == run["workflow_run_id"]
        try:
            client.get_workflow_definition(workflow_definition_name="missing")
        except errors.ResourceNotFoundException as error:
            assert error.request_id, error
        else:
            raise AssertionError
    keys = Credentials(
        access_key_id=os.environ.pop("AWS_ACCESS_KEY_ID"), secret_access_key=os.environ.pop("AWS_SECRET_ACCESS_KEY")
    )

    async def main() -> None:
        async with AsyncClient(credentials=keys) as client:
            pager = client.iter_sessions(**run, page_size=10, prefetch=True)
            assert [each.session_id async for each in pager] == sessions
            await client.wait_for_workflow_run(**run, until=[ended.status], poll=QUICKLY)
            try:
                await client.get_workflow_definition(workflow_definition_name="missing")
            except errors.ResourceNotFoundException:
                return
            raise AssertionError

    asyncio.run(main())
    print(len(definitions), "definitions,", len(runs), "runs and", len(sessions), "sessions")


def tls() -> None:
    """The CA in each place that it can be named, and none."""
    bundle = os.environ.pop("AWS_CA_BUNDLE")
    assert "unable to get local issuer certificate" in _failure() or "has no CA certificates" in _failure()
    for variable in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        os.environ[variable] = bundle
        _call()
        del os.environ[variable]
        print(variable)
    _call(verify=bundle)
    folder = _trusted_by_the_system(bundle)
    if folder is None:
        print("openssl: not found")
        return
    assert not _in_another_process({"SSL_CERT_DIR": folder}), "the system trusts the CA"
    print("SSL_CERT_DIR, which the system's trust store is")


def certifi() -> None:
    """With certifi, its bundle is trusted, and not what the system trusts."""
    folder = _trusted_by_the_system(os.environ.pop("AWS_CA_BUNDLE"))
    assert importlib.util.find_spec("certifi")
    if folder is not None:
        assert "unable to get local issuer certificate" in _in_another_process({"SSL_CERT_DIR": folder})
    assert "unable to get local issuer certificate" in _failure()


def messages() -> None:
    """What the library says where it needs more than attrs."""
    assert not [each for each in (*ABSENT, "certifi") if importlib.util.find_spec(each)]
    _says("httpx", lambda: novaact_http.LeanTransport)
    _says("httpx", lambda: Client(transport=object()))
    _says("botocore", lambda: _call(signer=novaact_http.BotocoreSigner()))
    os.environ["HTTP_PROXY"] = "http://127.0.0.1:9"
    os.environ["NO_PROXY"] = ""
    _says("httpx", _call)
    del os.environ["HTTP_PROXY"], os.environ["AWS_ACCESS_KEY_ID"]
    _says("botocore", _call)
    _says("botocore", lambda: __import__("novaact_http.testing", fromlist=["LocalService"]).LocalService)
    command = Path(sys.executable).with_name("novaact-http")
    refused = subprocess.run([command, "--version"], capture_output=True, text=True, check=False)
    assert refused.returncode, refused
    assert "pip install 'novaact-http[cli]'" in refused.stderr, refused
    print(refused.stderr, end="")


def failure() -> None:
    """Print what a call failed with; nothing if it did not fail."""
    print(_failure(), end="")


def _call(**options: object) -> None:
    with Client(retries=RetryPolicy(max_attempts=1), **options) as client:
        assert client.list_workflow_definitions().workflow_definition_summaries

    async def main() -> None:
        async with AsyncClient(retries=RetryPolicy(max_attempts=1), **options) as client:
            assert (await client.list_workflow_definitions()).workflow_definition_summaries

    asyncio.run(main())


def _failure() -> str:
    try:
        _call()
    except errors.NovaActError as error:
        return str(error)
    return ""


def _in_another_process(environ: dict[str, str]) -> str:
    """Return what a call fails with in a process of its own, as the trust store is read once."""
    command = [sys.executable, "-I", __file__, "failure"]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, check=True).stdout


def _trusted_by_the_system(bundle: str) -> str | None:
    """Return the path of a folder of trusted certificates, as systems have it; None if openssl is missing."""
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    command = [openssl, "x509", "-hash", "-noout", "-in", bundle]
    name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    folder = tempfile.mkdtemp(dir=Path(bundle).parent)  # the service deletes it
    shutil.copy(bundle, Path(folder, f"{name}.0"))
    return folder


def _says(package: str, use: Callable[[], object]) -> None:
    try:
        use()
    except (errors.ConfigurationError, errors.CredentialsError) as error:
        assert str(error).endswith(f"install it with pip install {package}"), error
        print(error)
    else:
        raise AssertionError(package)


if __name__ == "__main__":
    where = Path(novaact_http.__file__)
    assert "site-packages" in where.parts, where
    {each.__name__: each for each in (clients, tls, certifi, messages, failure)}[sys.argv[1]]()
    assert not {*ABSENT} & {*sys.modules}
