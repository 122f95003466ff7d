"""What an error about a setting says: the setting, where its value came from, what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from novaact_http import Client, ConfigurationError, RetryPolicy, Timeout
from novaact_http._aws.settings import resolve
from tests.helpers.calls import OPTIONS
from tests.helpers.setup_errors import Facts, Machine, check, client, making, pickled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def denied(machine: Machine) -> object:
    def refuse(*_: object, **__: object) -> object:
        raise PermissionError(13, "Permission denied")

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("novaact_http._aws.profiles.open", refuse, raising=False)
        return machine.settings()


def setting(config: str = "", environ: dict[str, str] | None = None, **arguments: Any) -> Callable[[Machine], object]:
    return lambda machine: machine.settings(config, environ, **arguments)


def profiles_value(line: str) -> Callable[[Machine], object]:
    return setting(f"[profile dev]\n{line}\n", profile="dev")


def url(endpoint_url: Any) -> Callable[[Machine], object]:
    return setting(environ={"AWS_ENDPOINT_URL": endpoint_url})


_PATH = "set the path of a PEM file, or remove the setting"
_ATTEMPTS = "use a whole number from 1, the first attempt included"
_FALSE = "use one of true, 1, yes, false, 0, no"
_A_REGION = "use up to 63 letters, digits and inner hyphens, such as us-east-1"
_A_URL = "use one such as https://host"
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
        "is not the URL of an http:// or https:// proxy",
        "use one such as http://proxy:8080; SOCKS proxies are not supported",
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
        making(RetryPolicy, max_attempts=0),
        "retries",
        "RetryPolicy.max_attempts",
        "is not a number of attempts",
        _ATTEMPTS,
    ),
    "RetryPolicy's mode": Facts(
        making(RetryPolicy, mode="fast"),
        "retries",
        "RetryPolicy.mode",
        "is not a retry mode",
        "use one of standard, adaptive, off",
    ),
    "RetryPolicy's random numbers": Facts(
        making(RetryPolicy, rng=0.5),
        "retries",
        "RetryPolicy.rng",
        "is not a function",
        "use one such as random.random",
    ),
    "Timeout": Facts(
        making(Timeout, read=-1),
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


@pytest.mark.parametrize("facts", CONFIGURATION.values(), ids=CONFIGURATION)
def test_an_error_has_its_setting_its_source_and_advice(facts: Facts, tmp_path: Path) -> None:
    check(ConfigurationError, facts, tmp_path)
