"""What an error about a setting or about credentials knows: the setting, where its value came from, what to do."""

from __future__ import annotations

import datetime as dt
import pickle
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

import boto3
import botocore.credentials
import botocore.session
import pytest

from novaact_http import Client, ConfigurationError, Credentials, CredentialsError, RetryPolicy, Timeout
from novaact_http._aws.profiles import Profile
from novaact_http._aws.settings import resolve
from tests.helpers.calls import OPTIONS
from tests.helpers.vault import cache, got, keys, refreshable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEYS = {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}


class Machine:
    """The files of a machine, and what is asked of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "AWS_CONFIG_FILE": str(folder / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        }

    def settings(self, config: str = "", environ: dict[str, str] | None = None, **arguments: Any) -> object:
        """Resolve the settings of a machine that has a region and this config file."""
        (self.folder / "config").write_text(config)
        environ = {**self.environ, "AWS_REGION": "us-east-1", **(environ or {})}
        return resolve(environ=environ, profile=Profile(arguments.pop("profile", None), environ), **arguments)


class Facts(NamedTuple):
    """What is done, and what the error knows then: `{}` is the machine's folder."""

    do: Callable[[Machine], object]
    setting: str | None
    source: str | None
    problem: str
    advice: str | None


class Nonsense:
    """Not credentials."""

    def get_frozen_credentials(self) -> object:
        return "secret"


class Asynchronous:
    """Credentials of a library for asyncio."""

    async def get_frozen_credentials(self) -> object: ...


async def fetch() -> Credentials:
    return keys()


def fail() -> Credentials:
    raise ValueError("secret")


def expired() -> Credentials:
    return keys(left=0)


def bad_session() -> object:
    session = botocore.session.Session()
    session.set_credentials("a b", "c")
    return session


def no_thread(_: Machine) -> object:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        return got(cache(fail).get())


def denied(machine: Machine) -> object:
    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("novaact_http._aws.profiles.open", refuse, raising=False)
        return machine.settings()


def chain(_: Machine) -> object:
    with pytest.MonkeyPatch.context() as patched:
        for name in KEYS:
            patched.delenv(name, raising=False)
        return got(cache(None, environ={}).get())


def credentials_of(argument: object, **environ: str) -> Callable[[Machine], object]:
    return lambda _: got(cache(argument, environ=environ).get())


def environment(**environ: str) -> Callable[[Machine], object]:
    return credentials_of(None, **{**KEYS, **environ})


def setting(config: str = "", environ: dict[str, str] | None = None, **arguments: Any) -> Callable[[Machine], object]:
    return lambda machine: machine.settings(config, environ, **arguments)


def profiles_value(line: str) -> Callable[[Machine], object]:
    return setting(f"[profile dev]\n{line}\n", profile="dev")


def value(kind: Callable[..., object], **arguments: Any) -> Callable[[Machine], object]:
    return lambda _: kind(**arguments)


def client(**arguments: Any) -> Callable[[Machine], object]:
    return lambda _: Client(**{**OPTIONS, **arguments})


def pickled(**arguments: Any) -> Callable[[Machine], object]:
    return lambda _: pickle.dumps(Client(**{**OPTIONS, **arguments}))


def url(endpoint_url: Any) -> Callable[[Machine], object]:
    return setting(environ={"AWS_ENDPOINT_URL": endpoint_url})


_PATH = "set the path of a PEM file, or remove the setting"
_ATTEMPTS = "use a whole number from 1, the first attempt included"
_FALSE = "use one of true, 1, yes, false, 0, no"
_A_REGION = "use up to 63 letters, digits and inner hyphens, such as us-east-1"
_A_URL = "use one such as https://host"
_PAIR = "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither"
_CREDENTIALS = (
    "pass a novaact_http.Credentials, a function that returns one, or a session or credentials of botocore or boto3"
)
_COPY = "copy it again, without that"
_HIDDEN = "has a space, line break or other character that no key has"
_ENDPOINT = "(Invalid Configuration: {} and custom endpoint are not supported)"

CONFIGURATION: dict[str, Facts] = {
    "no region": Facts(
        lambda machine: resolve(environ=machine.environ),
        "region",
        None,
        "no region is set",
        "pass region=... or set AWS_REGION, for example to us-east-1",
    ),
    "region": Facts(
        setting(region="us_east"),
        "region",
        "the argument region",
        "is 'us_east', which is not a region",
        _A_REGION,
    ),
    "region of the environment": Facts(
        setting(environ={"AWS_REGION": "us_east"}),
        "region",
        "AWS_REGION",
        "is 'us_east', which is not a region",
        _A_REGION,
    ),
    "region of the profile": Facts(
        lambda machine: machine.settings(
            "[profile dev]\nregion =\n  a = b\n", {"AWS_REGION": ""}, profile="dev", use_fips=False
        ),
        "region",
        "region of the profile 'dev'",
        "is {{'a': 'b'}}, which is not a region",
        _A_REGION,
    ),
    "FIPS": Facts(setting(use_fips="yes"), "use_fips", "the argument use_fips", "is of type str", "pass True or False"),
    "FIPS of the environment": Facts(
        setting(environ={"AWS_USE_FIPS_ENDPOINT": "on"}),
        "use_fips",
        "AWS_USE_FIPS_ENDPOINT",
        "is 'on', which is neither true nor false",
        _FALSE,
    ),
    "dualstack of the profile": Facts(
        profiles_value("use_dualstack_endpoint = on"),
        "use_dualstack",
        "use_dualstack_endpoint of the profile 'dev'",
        "is 'on', which is neither true nor false",
        _FALSE,
    ),
    "endpoints that are ignored": Facts(
        setting(environ={"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "on"}),
        "endpoint_url",
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "is 'on', which is neither true nor false",
        _FALSE,
    ),
    "FIPS and endpoint": Facts(
        setting(endpoint_url="https://h", environ={"AWS_USE_FIPS_ENDPOINT": "true"}),
        "endpoint_url",
        "the argument endpoint_url",
        f"cannot be used with FIPS, which AWS_USE_FIPS_ENDPOINT turns on {_ENDPOINT.format('FIPS')}",
        "remove one of the two settings",
    ),
    "FIPS by the region's name and endpoint": Facts(
        setting(environ={"AWS_ENDPOINT_URL": "https://h"}, region="fips-us-east-1"),
        "endpoint_url",
        "AWS_ENDPOINT_URL",
        f"cannot be used with FIPS, which the region's name turns on {_ENDPOINT.format('FIPS')}",
        "remove one of the two settings",
    ),
    "dualstack and endpoint": Facts(
        setting(endpoint_url="https://h", use_dualstack=True),
        "endpoint_url",
        "the argument endpoint_url",
        f"cannot be used with Dualstack, which the argument use_dualstack turns on {_ENDPOINT.format('Dualstack')}",
        "remove one of the two settings",
    ),
    "endpoint's type": Facts(
        setting(endpoint_url=7),
        "endpoint_url",
        "the argument endpoint_url",
        "is of type int",
        "use a URL such as https://host",
    ),
    "endpoint's host": Facts(
        url("https://h_x"),
        "endpoint_url",
        "AWS_ENDPOINT_URL",
        "is 'https://h_x', which has no usable host",
        "use a name of letters, digits, hyphens and dots, or an IP address",
    ),
    "endpoint's port": Facts(
        url("https://h:0"),
        "endpoint_url",
        "AWS_ENDPOINT_URL",
        "is 'https://h:0', which has port 0",
        "use a port from 1 to 65535",
    ),
    "no URL": Facts(
        url("https://[::1"), "endpoint_url", "AWS_ENDPOINT_URL", "is 'https://[::1', which is not a URL (Inv", _A_URL
    ),
    "no URL, with a password": Facts(
        url("https://secret@h:x"), "endpoint_url", "AWS_ENDPOINT_URL", "is not a URL", _A_URL
    ),
    "endpoint's scheme": Facts(
        url("nowhere"),
        "endpoint_url",
        "AWS_ENDPOINT_URL",
        "is 'nowhere', which does not begin with https:// or http://",
        _A_URL,
    ),
    "endpoint's password": Facts(
        url("https://me:secret@h"),
        "endpoint_url",
        "AWS_ENDPOINT_URL",
        "holds a user name or password",
        "remove it; AWS credentials sign requests instead",
    ),
    "CA bundle of the environment": Facts(
        setting(environ={"AWS_CA_BUNDLE": ""}),
        "verify",
        "AWS_CA_BUNDLE",
        "is '', which is not the path of a CA bundle",
        _PATH,
    ),
    "CA bundle of the profile": Facts(
        profiles_value("ca_bundle ="),
        "verify",
        "ca_bundle of the profile 'dev'",
        "is '', which is not the path of a CA bundle",
        _PATH,
    ),
    "CA bundle": Facts(
        client(verify=False),
        "verify",
        "the argument verify",
        "is False, which is not the path of a CA bundle",
        "pass a path or an ssl.SSLContext; to connect without verification, pass a context set up for that",
    ),
    "CA bundle that is not there": Facts(
        lambda machine: Client(**{**OPTIONS, "endpoint_url": "https://h", "verify": machine.folder / "none"})._tls(),
        "verify",
        "the argument verify",
        "is '{}/none', which cannot be used as a CA bundle ([Errno 2] No such file or directory)",
        "use the path of a PEM file, or of a directory of hashed ones",
    ),
    "proxy": Facts(
        setting(environ={"HTTPS_PROXY": "http://me:secret@:1"}),
        None,
        "HTTPS_PROXY",
        "is not the URL of a proxy",
        "use one such as http://proxy:8080",
    ),
    "app id": Facts(
        setting(app_id=7), "app_id", "the argument app_id", "is of type int", "use text, of up to 50 characters"
    ),
    "retry mode": Facts(
        setting(environ={"AWS_RETRY_MODE": "fast"}),
        "retries",
        "AWS_RETRY_MODE",
        "is 'fast', which is not a retry mode",
        "use one of standard, legacy, adaptive",
    ),
    "attempts": Facts(
        profiles_value("max_attempts = x"),
        "retries",
        "max_attempts of the profile 'dev'",
        "is 'x', which is not a number of attempts",
        _ATTEMPTS,
    ),
    "profile's type": Facts(
        setting(profile=7), "profile", "the argument profile", "is of type int", "pass the name of a profile"
    ),
    "profile": Facts(
        setting("[profile dev]\n", profile="nobody"),
        "profile",
        "the argument profile",
        "is 'nobody', which is a profile of neither the config file nor the credentials file",
        "use one that exists; the config file has dev",
    ),
    "profile of the environment": Facts(
        setting(environ={"AWS_PROFILE": "nobody"}),
        "profile",
        "AWS_PROFILE",
        "is 'nobody', which is a profile of neither the config file nor the credentials file",
        "use one that exists; the config file has none",
    ),
    "services": Facts(
        profiles_value("services = mine"),
        "endpoint_url",
        "services of the profile 'dev'",
        "is 'mine', but the config file has no services section with values of that name",
        "add the section, or remove the key services",
    ),
    "file": Facts(
        denied,
        None,
        "the file '{}/config'",
        "cannot be read (Permission denied)",
        "allow it to be read, or set AWS_CONFIG_FILE to the path of another",
    ),
    "file's format": Facts(
        setting("[default]\nsecret\n"),
        None,
        "the file '{}/config'",
        "is not in the format of AWS's config files (line 2)",
        "correct it, or set AWS_CONFIG_FILE to the path of another",
    ),
    "RetryPolicy's attempts": Facts(
        value(RetryPolicy, max_attempts=0),
        "retries",
        "RetryPolicy.max_attempts",
        "is not a number of attempts",
        _ATTEMPTS,
    ),
    "RetryPolicy's mode": Facts(
        value(RetryPolicy, mode="fast"),
        "retries",
        "RetryPolicy.mode",
        "is not a retry mode",
        "use one of standard, adaptive, off",
    ),
    "RetryPolicy's random numbers": Facts(
        value(RetryPolicy, rng=0.5),
        "retries",
        "RetryPolicy.rng",
        "is not a function",
        "use one such as random.random",
    ),
    "Timeout": Facts(
        value(Timeout, read=-1),
        "timeout",
        "Timeout.read",
        "is not a usable number of seconds",
        "use a positive number, a year (31,536,000) at most",
    ),
    "timeout": Facts(
        client(timeout="5"),
        "timeout",
        "the argument timeout",
        "is not a usable number of seconds",
        "pass a positive number, a year (31,536,000) at most, or a novaact_http.Timeout",
    ),
    "retries": Facts(
        client(retries=3), "retries", "the argument retries", "is of type int", "pass a novaact_http.RetryPolicy"
    ),
    "clock skew": Facts(
        client(correct_clock_skew="no"),
        "correct_clock_skew",
        "the argument correct_clock_skew",
        "is of type str",
        "pass True or False",
    ),
    "on_attempt": Facts(
        client(on_attempt=5),
        "on_attempt",
        "the argument on_attempt",
        "is of type int",
        "pass a function that takes a novaact_http.Attempt",
    ),
    "signer": Facts(
        client(signer=5),
        "signer",
        "the argument signer",
        "is of type int",
        "pass an object with a method sign(), such as BotocoreSigner()",
    ),
    "what cannot be pickled": Facts(
        pickled(credentials=None, on_attempt=lambda _: None),
        "on_attempt",
        "the argument on_attempt",
        "cannot be pickled with the client (",
        "pass another, or make the client where it is used",
    ),
}

CREDENTIALS: dict[str, Facts] = {
    "a value's type": Facts(
        value(Credentials, access_key_id=7, secret_access_key="b"),
        "credentials",
        "Credentials.access_key_id",
        "is of type int",
        "pass a str",
    ),
    "an empty value": Facts(
        value(Credentials, access_key_id="a", secret_access_key=""),
        "credentials",
        "Credentials.secret_access_key",
        "is empty",
        "set a value",
    ),
    "a malformed value": Facts(
        value(Credentials, access_key_id="a", secret_access_key="b", session_token="secret "),
        "credentials",
        "Credentials.session_token",
        _HIDDEN,
        _COPY,
    ),
    "a time's type": Facts(
        value(Credentials, access_key_id="a", secret_access_key="b", expires_at=5),
        "credentials",
        "Credentials.expires_at",
        "is of type int",
        "pass a datetime.datetime",
    ),
    "a time without a zone": Facts(
        value(
            Credentials,
            access_key_id="a",
            secret_access_key="b",
            expires_at=dt.datetime(2026, 1, 1),  # noqa: DTZ001
        ),
        "credentials",
        "Credentials.expires_at",
        "has no time zone",
        "pass one that has, such as datetime.timezone.utc",
    ),
    "pickled credentials": Facts(
        lambda _: pickle.dumps(keys()),
        "credentials",
        None,
        "credentials are not pickled, so that no secret is stored by accident",
        "where they are needed, pass a function that returns them",
    ),
    "a pickled client": Facts(
        pickled(),
        "credentials",
        "the argument credentials",
        "cannot be pickled with the client, so that no secret is stored by accident",
        "pass no credentials, or a function of a module, of which only the name is pickled",
    ),
    "an argument's type": Facts(
        credentials_of(("a", "b")), "credentials", "the argument credentials", "is of type tuple", _CREDENTIALS
    ),
    "a class": Facts(
        credentials_of(boto3.Session), "credentials", "the argument credentials", "is the class Session", _CREDENTIALS
    ),
    "a session without credentials": Facts(
        credentials_of(botocore.session.Session()),
        "credentials",
        "the argument credentials (a Session)",
        "has no credentials",
        "configure it with some, or pass others",
    ),
    "a session with bad credentials": Facts(
        credentials_of(bad_session()),
        "credentials",
        "access_key_id of the argument credentials (a Session)",
        _HIDDEN,
        _COPY,
    ),
    "what is not frozen credentials": Facts(
        credentials_of(Nonsense()),
        "credentials",
        "the argument credentials (a Nonsense)",
        "gave an object of type str, which has no access_key, secret_key and token",
        "pass a session or credentials of botocore or boto3, or a function that returns a novaact_http.Credentials",
    ),
    "asynchronous credentials": Facts(
        credentials_of(Asynchronous()),
        "credentials",
        "the argument credentials (a Asynchronous)",
        "has an asynchronous get_frozen_credentials()",
        "pass AsyncClient an async function that awaits it and returns a novaact_http.Credentials",
    ),
    "an asynchronous function": Facts(
        credentials_of(fetch),
        "credentials",
        "the argument credentials (the function fetch)",
        "returned an object of type coroutine, which Client cannot await",
        "pass a plain function, or use AsyncClient",
    ),
    "a function of nothing": Facts(
        credentials_of(lambda: None),
        "credentials",
        "the argument credentials (the function <lambda>)",
        "returned an object of type NoneType",
        "return a novaact_http.Credentials",
    ),
    "a function that fails": Facts(
        credentials_of(fail),
        "credentials",
        "the argument credentials (the function fail)",
        "failed: ValueError",
        None,
    ),
    "botocore fails": Facts(
        credentials_of(refreshable(-1, dict)),
        "credentials",
        "the argument credentials (a RefreshableCredentials): test",
        "failed: CredentialRetrievalError: Error when retrieving credentials from test: ",
        None,
    ),
    "expired credentials": Facts(
        credentials_of(expired),
        "credentials",
        "the argument credentials (the function expired)",
        "has credentials that expired at 2025-11-23 20:34:56.500000+00:00",
        "get new ones",
    ),
    "no thread": Facts(
        no_thread,
        "credentials",
        "the argument credentials (the function fail)",
        "was not asked, as no thread could be started (can't start new thread)",
        "run fewer threads, or raise the limit of this process",
    ),
    "none": Facts(
        chain,
        "credentials",
        None,
        "no credentials were found (tried in this order: env, assume-role, ",
        "pass credentials=..., or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    ),
    "half of the environment's keys": Facts(
        credentials_of(None, AWS_ACCESS_KEY_ID="a"),
        "credentials",
        "AWS_SECRET_ACCESS_KEY",
        "is not set in the environment",
        _PAIR,
    ),
    "the environment's key": Facts(
        environment(AWS_ACCESS_KEY_ID="a b"), "credentials", "AWS_ACCESS_KEY_ID", _HIDDEN, _COPY
    ),
    "the environment's secret": Facts(
        environment(AWS_SECRET_ACCESS_KEY="secret "), "credentials", "AWS_SECRET_ACCESS_KEY", _HIDDEN, _COPY
    ),
    "the environment's token": Facts(
        environment(AWS_SESSION_TOKEN="secret "), "credentials", "AWS_SESSION_TOKEN", _HIDDEN, _COPY
    ),
    "the environment's older token": Facts(
        environment(AWS_SECURITY_TOKEN="secret "), "credentials", "AWS_SECURITY_TOKEN", _HIDDEN, _COPY
    ),
    "the environment's time": Facts(
        environment(AWS_CREDENTIAL_EXPIRATION="tomorrow"),
        "credentials",
        "AWS_CREDENTIAL_EXPIRATION",
        "is 'tomorrow', which is not a time with a time zone",
        "set a time such as 2026-01-31T12:00:00Z",
    ),
}


@pytest.mark.parametrize(
    ("kind", "facts"),
    [
        *((ConfigurationError, each) for each in CONFIGURATION.values()),
        *((CredentialsError, each) for each in CREDENTIALS.values()),
    ],
    ids=[*CONFIGURATION, *CREDENTIALS],
)
def test_an_error_knows_the_setting_where_it_came_from_and_what_to_do(kind: Any, facts: Facts, tmp_path: Path) -> None:
    with pytest.raises(kind) as caught:
        facts.do(Machine(tmp_path))
    error = caught.value
    source = None if facts.source is None else facts.source.format(tmp_path)
    assert (error.setting, error.source, error.advice) == (facts.setting, source, facts.advice)
    problem = facts.problem.format(tmp_path)
    assert error.problem == problem or (problem.endswith(("(", " ", "Inv")) and error.problem.startswith(problem))
    text = error.problem if source is None else f"{source} {error.problem}"
    assert str(error) == (text if facts.advice is None else f"{text}: {facts.advice}")
    assert "secret " not in str(error).replace("no secret", "")
    assert "me:secret" not in str(error)


def test_each_call_that_waited_for_a_refresh_gets_a_copy_of_the_error_with_all_facts() -> None:
    class SealedError(CredentialsError):
        """An application's own."""

    cause = OSError()

    def sealed() -> Credentials:
        error = SealedError("is sealed", setting="credentials", source="the vault", advice="unseal it")
        error.request_id = "r-1"
        raise error from cause

    waited = cache(sealed).get()
    raised: list[CredentialsError] = []
    for _ in range(2):
        with pytest.raises(SealedError, match=r"^the vault is sealed: unseal it$") as caught:
            got(waited)
        raised.append(caught.value)
    first, second = raised
    assert first is not second
    assert vars(first) == vars(second)
    assert (first.setting, first.source, first.advice, first.request_id) == (
        "credentials",
        "the vault",
        "unseal it",
        "r-1",
    )
    assert first.__cause__ is second.__cause__ is cause
