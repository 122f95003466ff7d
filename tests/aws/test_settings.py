"""Regions, retries and other settings, compared with boto3's where it has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import httpx
import pytest

from novaact_http import AsyncClient, Client, ConfigurationError, RetryPolicy
from novaact_http._aws import settings as settings_module
from novaact_http._call.user_agent import user_agent
from tests.helpers.calls import CALL, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.helpers.both_clients import Face


def resolve(environ: dict[str, str] | None = None, **arguments: Any) -> settings_module.Settings:
    return settings_module.resolve(**arguments, environ=environ or {})


@pytest.mark.parametrize(
    ("argument", "environ", "region"),
    [
        ("a", {"AWS_REGION": "b", "AWS_DEFAULT_REGION": "c"}, "a"),
        (None, {"AWS_REGION": "b", "AWS_DEFAULT_REGION": "c"}, "b"),
        (None, {"AWS_DEFAULT_REGION": "c"}, "c"),
        (None, {"AWS_REGION": "", "AWS_DEFAULT_REGION": "c"}, "c"),
    ],
)
def test_the_region_comes_from_the_argument_then_from_the_environment(
    argument: str | None, environ: dict[str, str], region: str
) -> None:
    assert resolve(environ, region=argument).region == region


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("true", True),
        ("TRUE", True),
        ("1", True),
        ("yes", True),
        ("false", False),
        ("no", False),
        ("0", False),
        ("", False),
    ],
)
def test_booleans_in_the_environment(text: str, expected: bool) -> None:
    assert ("fips" in resolve({"AWS_USE_FIPS_ENDPOINT": text}, region="us-east-1").endpoint.host) is expected
    dualstack = resolve({"AWS_USE_DUALSTACK_ENDPOINT": text}, region="us-east-1").endpoint.host
    assert dualstack.endswith("api.aws") is expected
    ignored = {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": text, "AWS_ENDPOINT_URL": "http://h"}
    assert (resolve(ignored, region="us-east-1").endpoint.host != "h") is expected


@pytest.mark.parametrize(
    "name", ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"]
)
def test_a_value_that_is_not_a_boolean_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"^{name} is 'on', which is neither true nor false: use one of true, 1, yes, false, 0, no",
    ):
        resolve({name: "on"}, region="us-east-1")


@pytest.mark.parametrize("name", ["use_fips", "use_dualstack"])
def test_an_argument_that_is_not_a_boolean_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the argument {name} is of type str: pass True or False"):
        resolve(None, **{"region": "us-east-1", name: "yes"})


@pytest.mark.parametrize(
    ("environ", "bundle"),
    [
        ({"AWS_CA_BUNDLE": "a", "REQUESTS_CA_BUNDLE": "b", "SSL_CERT_FILE": "c"}, ("a", "AWS_CA_BUNDLE", "")),
        ({"REQUESTS_CA_BUNDLE": "b", "SSL_CERT_FILE": "c"}, ("b", "REQUESTS_CA_BUNDLE", "")),
        ({"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": "c"}, ("c", "SSL_CERT_FILE", "")),
        ({"SSL_CERT_FILE": ""}, None),
    ],
)
def test_the_ca_bundle_of_the_environment(environ: dict[str, str], bundle: tuple[str, str, str] | None) -> None:
    assert resolve(environ, region="us-east-1").ca_bundle == bundle


def test_an_empty_ca_bundle_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="AWS_CA_BUNDLE is '', which is not the path"):
        resolve({"AWS_CA_BUNDLE": ""}, region="us-east-1")


def test_a_ca_bundle_that_cannot_be_used_is_named_with_its_source(face: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/no/such/file")
    with pytest.raises(ConfigurationError, match=r"^REQUESTS_CA_BUNDLE is '/no/such/file', which cannot be used"):
        face.page({**OPTIONS, "endpoint_url": "https://127.0.0.1:9"}, **CALL)


@pytest.mark.parametrize(
    ("environ", "attempts"),
    [({}, 3), ({"AWS_MAX_ATTEMPTS": "7"}, 7), ({"AWS_MAX_ATTEMPTS": " 05 "}, 5), ({"AWS_RETRY_MODE": "standard"}, 3)],
)
def test_retry_settings_of_the_environment_mean_the_same_as_in_boto3(
    environ: dict[str, str], attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = resolve(environ, region="us-east-1").retries
    assert (policy.max_attempts, policy.mode) == (attempts, "standard")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    theirs = (
        boto3.Session()
        .client("nova-act", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        .meta.config.retries
    )
    assert theirs.get("total_max_attempts", 3) == attempts


def test_an_argument_for_retries_goes_before_the_environment() -> None:
    policy = RetryPolicy(max_attempts=9)
    environ = {"AWS_MAX_ATTEMPTS": "nonsense", "AWS_RETRY_MODE": "nonsense"}
    settings = resolve(environ, region="us-east-1", retries=policy)
    assert settings.retries is policy
    assert settings.remarks == ()


@pytest.mark.parametrize("text", ["0", "-1", "", "x", "1.5", "9" * 5000])
def test_a_wrong_number_of_attempts_is_refused(text: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"^AWS_MAX_ATTEMPTS is '.*, which is not a number of attempts: use a whole number from 1",
    ):
        resolve({"AWS_MAX_ATTEMPTS": text}, region="us-east-1")


@pytest.mark.parametrize("mode", ["", "STANDARD", "off"])
def test_an_unknown_retry_mode_is_refused(mode: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"^AWS_RETRY_MODE is '.*, which is not a retry mode: use one of standard, legacy, adaptive",
    ):
        resolve({"AWS_RETRY_MODE": mode}, region="us-east-1")


@pytest.mark.parametrize("mode", ["standard", "adaptive"])
def test_retry_modes_that_we_share_with_boto3_are_used_without_a_remark(mode: str) -> None:
    settings = resolve({"AWS_RETRY_MODE": mode, "AWS_MAX_ATTEMPTS": "5"}, region="us-east-1")
    assert settings.retries == RetryPolicy(mode=mode, max_attempts=5)  # type: ignore[arg-type]
    assert settings.remarks == ()


def test_boto3s_legacy_mode_is_standard_and_this_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    with Client(**{**OPTIONS, "retries": None}) as client:
        assert client._context.retries.mode == "standard"
    (record,) = caplog.records
    assert "AWS_RETRY_MODE is legacy" in record.getMessage()


@pytest.mark.parametrize(
    ("app_id", "shown"), [("shop", " app/shop"), ("a b/c", " app/a-b-c"), ("x" * 50, f" app/{'x' * 50}"), ("", "")]
)
def test_the_applications_id_is_in_the_user_agent(app_id: str, shown: str) -> None:
    plain = user_agent("")
    assert user_agent(resolve(region="x", app_id=app_id).app_id) == plain + shown
    assert user_agent(resolve({"AWS_SDK_UA_APP_ID": app_id}, region="x").app_id) == plain + shown


def test_an_app_id_that_is_not_text_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the argument app_id is of type int: use text"):
        resolve(region="us-east-1", app_id=7)


def test_a_long_app_id_is_used_with_a_remark() -> None:
    for settings in (resolve(region="x", app_id="x" * 51), resolve({"AWS_SDK_UA_APP_ID": "x" * 51}, region="x")):
        assert settings.app_id == "x" * 51
        assert "has over 50 characters" in settings.remarks[0]
    assert resolve(region="x", app_id="x" * 50).remarks == ()


def test_settings_that_an_argument_makes_needless_are_not_read() -> None:
    wrong = {"AWS_CA_BUNDLE": "", "HTTPS_PROXY": "nonsense://"}
    assert resolve(wrong, region="x", connects=False).ca_bundle is None
    assert resolve({"AWS_CA_BUNDLE": ""}, region="x", verifies=True).ca_bundle is None
    with pytest.raises(ConfigurationError, match="HTTPS_PROXY"):
        resolve(wrong, region="x", verifies=True)


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_a_client_with_a_transport_needs_no_settings_for_connecting(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "")
    monkeypatch.setenv("HTTP_PROXY", "nonsense://")
    make(**OPTIONS, transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    with pytest.raises(ConfigurationError, match="AWS_CA_BUNDLE is '', which is not the path"):
        make(**OPTIONS)


@pytest.mark.parametrize(
    "region", ["", "a b", "us_east_1", "-a", "a-", "123", "a" * 64, "us-east-1\n", "é", "us-east-1.evil.example", "a/b"]
)
def test_a_malformed_region_is_refused(region: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^the argument region is '.*which is not a region"):
        resolve(region=region)


def test_a_wrong_region_in_the_environment_is_named() -> None:
    with pytest.raises(ConfigurationError, match=r"^AWS_REGION is 'a b'"):
        resolve({"AWS_REGION": "a b"})
    with pytest.raises(ConfigurationError, match=r"^AWS_DEFAULT_REGION is ''"):
        resolve({"AWS_DEFAULT_REGION": ""})
    with pytest.raises(ConfigurationError, match=r"^the argument region is 7"):
        resolve(region=7)


def test_no_region_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="AWS_REGION"):
        resolve(endpoint_url="http://localhost")
