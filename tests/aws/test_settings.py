"""Region and endpoint, against boto3's where it has an answer."""

from __future__ import annotations

import os
import re
import ssl
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.exceptions import EndpointVariantError
from botocore.httpsession import ProxyConfiguration
from botocore.utils import get_environ_proxies
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import AsyncClient, Client, ConfigurationError, RetryPolicy, ServiceError, TransportError
from novaact_http._aws import endpoints
from novaact_http._aws import settings as settings_module
from novaact_http._call.http_messages import Endpoint
from novaact_http._call.user_agent import user_agent
from novaact_http._http.httpx_sender import _proxy
from tests.helpers.boto3_oracle import Boto3Wire, boto3_client
from tests.helpers.calls import CALL, OPTIONS, call_for, options_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from novaact_http.testing import LocalService
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
def test_the_region_is_the_arguments_then_the_environments(
    argument: str | None, environ: dict[str, str], region: str
) -> None:
    assert resolve(environ, region=argument).region == region


REGIONS = [
    "us-east-1",
    "eu-central-1",
    "cn-north-1",
    "eusc-de-east-1",
    "us-iso-east-1",
    "us-isob-east-1",
    "eu-isoe-west-1",
    "us-isof-south-1",
    "us-gov-west-1",
    "aws-cn-global",
    "aws-iso-global",
    "aws-iso-b-global",
    "aws-iso-e-global",
    "aws-iso-f-global",
    "aws-us-gov-global",
    "aws-global",
    "mars-north-1",
    "cn-north-1-x",
    "x",
    "US-EAST-1",
    "fips-us-east-1",
    "us-gov-west-1-fips",
    "fips-cn-north-1-fips",
]


@pytest.mark.parametrize("dualstack", [False, True])
@pytest.mark.parametrize("fips", [False, True])
@pytest.mark.parametrize("region", REGIONS)
def test_a_regions_endpoint_is_boto3s(region: str, fips: bool, dualstack: bool) -> None:
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack)
    ours = resolve(region=region, use_fips=fips, use_dualstack=dualstack)
    try:
        wire = Boto3Wire(region=region, config=config)
    except EndpointVariantError:
        # boto3 consults an older table first, which does not know these; the newer one, which it follows, does.
        assert dualstack
        assert region.startswith(("eu-isoe", "us-isof", "aws-iso-e", "aws-iso-f"))
        return
    sent = wire.request_of(CALL)
    theirs = urlsplit(sent.url)
    host = theirs.netloc.lower()
    assert theirs.scheme == "https"
    assert ours.endpoint == Endpoint(scheme="https", host=host.lower(), port=443, authority=host)
    authorization = sent.headers["Authorization"]
    assert ours.region == (authorization if isinstance(authorization, str) else authorization.decode()).split("/")[2]


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
def test_what_is_no_boolean_is_refused(name: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"^{name} is 'on', which is neither true nor false: use one of true, 1, yes, false, 0, no",
    ):
        resolve({name: "on"}, region="us-east-1")


def test_an_argument_goes_before_the_environment_even_if_it_is_false() -> None:
    environ = {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}
    host = resolve(environ, region="us-east-1", use_fips=False, use_dualstack=False).endpoint.host
    assert host == "nova-act.us-east-1.amazonaws.com"


@pytest.mark.parametrize("name", ["use_fips", "use_dualstack"])
def test_an_argument_that_is_no_boolean_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"the argument {name} is of type str: pass True or False"):
        resolve(None, **{"region": "us-east-1", name: "yes"})


@pytest.mark.parametrize(
    ("arguments", "environ", "what"),
    [
        ({"use_fips": True, "endpoint_url": "http://h"}, {}, "FIPS"),
        ({"use_dualstack": True, "endpoint_url": "http://h"}, {}, "Dualstack"),
        ({"use_fips": True}, {"AWS_ENDPOINT_URL": "http://h"}, "FIPS"),
        ({"endpoint_url": "http://h"}, {"AWS_USE_DUALSTACK_ENDPOINT": "1"}, "Dualstack"),
        ({"region": "fips-us-east-1", "endpoint_url": "http://h"}, {}, "FIPS"),
    ],
)
def test_fips_and_dualstack_do_not_go_with_an_endpoint_of_ones_own(
    arguments: dict[str, Any], environ: dict[str, str], what: str
) -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"cannot be used .*\(Invalid Configuration: {what} and custom endpoint are not supported\): remove",
    ):
        resolve(environ, **{"region": "us-east-1", **arguments})


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
def test_retries_in_the_environment_are_boto3s(
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
def test_the_retry_modes_of_boto3s_that_are_here_are_taken_without_a_word(mode: str) -> None:
    settings = resolve({"AWS_RETRY_MODE": mode, "AWS_MAX_ATTEMPTS": "5"}, region="us-east-1")
    assert settings.retries == RetryPolicy(mode=mode, max_attempts=5)  # type: ignore[arg-type]
    assert settings.remarks == ()


def test_boto3s_legacy_mode_is_standard_and_that_is_said_once(
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


def test_what_is_no_app_id_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="the argument app_id is of type int: use text"):
        resolve(region="us-east-1", app_id=7)


def test_an_application_with_a_long_id_is_told_of_it_and_served() -> None:
    for settings in (resolve(region="x", app_id="x" * 51), resolve({"AWS_SDK_UA_APP_ID": "x" * 51}, region="x")):
        assert settings.app_id == "x" * 51
        assert "has over 50 characters" in settings.remarks[0]
    assert resolve(region="x", app_id="x" * 50).remarks == ()


def test_what_an_argument_makes_needless_is_not_looked_at() -> None:
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


# Proxies.

proxy_environments = st.dictionaries(
    st.sampled_from(["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy"]),
    st.sampled_from(
        ["", "http://p:1", "p:2", "//p:3", "http://u:p@p:4", "*", "h.example", ".example", "example,h2", "H.EXAMPLE:80"]
    ),
)


@given(
    proxy_environments,
    st.sampled_from(["http://h.example", "https://h.example", "http://h2:8080", "http://h.example:80"]),
)
@example({"HTTP_PROXY": "http://p:1", "NO_PROXY": "H.EXAMPLE:80"}, "http://h.example:80")
@example({"HTTP_PROXY": "http://p:1", "http_proxy": ""}, "http://h.example")
@example({"HTTP_PROXY": "http://p:1", "NO_PROXY": "h.example", "no_proxy": ""}, "http://h.example")
def test_the_proxy_is_boto3s(environ: dict[str, str], endpoint_url: str) -> None:
    proxies = {name: value for name, value in environ.items() if "no" in name.lower() or ":" in value or value == ""}
    with mock.patch.dict(os.environ, proxies, clear=True):
        theirs = ProxyConfiguration(get_environ_proxies(endpoint_url)).proxy_url_for(endpoint_url)
    ours = resolve(proxies, region="us-east-1", endpoint_url=endpoint_url)
    assert ours.proxy_url == theirs
    assert "u:p" not in repr(ours)


def test_a_cgi_programs_proxy_header_is_not_believed() -> None:
    environ = {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}
    assert resolve(environ, region="us-east-1", endpoint_url="http://h.example").proxy_url is None
    environ = {"HTTPS_PROXY": "http://proxy:1", "REQUEST_METHOD": "GET"}
    assert resolve(environ, region="us-east-1", endpoint_url="https://h.example").proxy_url == "http://proxy:1"


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http://u:secret@:1",
        "http://p:x",
        "http://p:0",
        "http://[p",
        "http://p:99999",
        "http://u:secret@p:1\n",
        "http://1.2.3.400",
        "socks5://p:1",
        "http://p_",
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_what_is_no_proxy_is_refused_and_not_shown(name: str, url: str) -> None:
    with pytest.raises(
        ConfigurationError, match=f"^{name} is not the URL of a proxy: use one such as http://proxy:8080$"
    ):
        resolve({name: url}, region="us-east-1")


def test_requests_go_through_the_proxy(face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    # The local service does for a proxy: it answers what it is sent, whomever it is for.
    monkeypatch.setenv("HTTP_PROXY", service.url.removeprefix("http://"))
    service.answer_next(200, b"")
    with pytest.warns(UserWarning, match="not encrypted"), pytest.raises(ServiceError):
        face.page({**options_for(service), "endpoint_url": "http://nova-act.example"}, **call_for(service.runs[0]))
    assert service.requests[0].target.startswith("http://nova-act.example/workflow-definitions/")


def test_a_proxy_that_speaks_tls_is_trusted_as_the_endpoint_is(monkeypatch: pytest.MonkeyPatch) -> None:
    tls = ssl.create_default_context()
    made = _proxy(("https://p:1", "HTTPS_PROXY"), tls)
    assert made is not None
    assert made.ssl_context is tls
    plain = _proxy(("http://p:1", "HTTPS_PROXY"), tls)
    assert plain is not None
    assert plain.ssl_context is None
    # With an endpoint of http:// too, whose own context would trust nobody.
    monkeypatch.setenv("HTTP_PROXY", "https://p:1")
    with Client(**OPTIONS) as client:
        assert client._tls().cert_store_stats()["x509_ca"] > 0


def test_tls_goes_through_a_tunnel(face: Face, service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", service.url)
    with pytest.raises(TransportError) as caught:
        face.page({**options_for(service), "endpoint_url": "https://nova-act.example"}, **call_for(service.runs[0]))
    assert not caught.value.request_sent
    assert (service.requests[0].method, service.requests[0].target) == ("CONNECT", "nova-act.example:443")


@pytest.mark.parametrize(
    "region", ["", "a b", "us_east_1", "-a", "a-", "123", "a" * 64, "us-east-1\n", "é", "us-east-1.evil.example", "a/b"]
)
def test_what_is_no_region_is_refused(region: str) -> None:
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


@pytest.mark.parametrize(
    ("argument", "environ", "host"),
    [
        ("http://a", {"AWS_ENDPOINT_URL_NOVA_ACT": "http://b", "AWS_ENDPOINT_URL": "http://c"}, "a"),
        (None, {"AWS_ENDPOINT_URL_NOVA_ACT": "http://b", "AWS_ENDPOINT_URL": "http://c"}, "b"),
        (None, {"AWS_ENDPOINT_URL_NOVA_ACT": "", "AWS_ENDPOINT_URL": "http://c"}, "c"),
        (None, {"AWS_ENDPOINT_URL": ""}, "nova-act.us-east-1.amazonaws.com"),
    ],
)
def test_the_endpoint_is_the_arguments_then_the_environments_then_the_regions(
    argument: str | None, environ: dict[str, str], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert resolve(environ, region="us-east-1", endpoint_url=argument).endpoint.host == host
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert urlsplit(boto3_client(endpoint_url=argument).meta.endpoint_url).hostname == host


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "does not begin with https://"),
        ("nova-act.example", "does not begin with https://"),
        ("//nova-act.example", "does not begin with https://"),
        ("ftp://h", "does not begin with https://"),
        ("https://", "has no usable host: use a name of"),
        ("https:///path", "has no usable host: use a name of"),
        ("https://h_x", "has no usable host: use a name of"),
        ("https://a..b", "has no usable host: use a name of"),
        ("https://999.1.1.1", "is not a URL"),
        ("https://127.0.0.01", "is not a URL"),
        ("https://-a", "has no usable host: use a name of"),
        ("https://bücher.example", "has no usable host: use a name of"),
        ("https://[fe80::1%eth0]", "has no usable host: use a name of"),
        (f"https://{'a.' * 127}bc", "has no usable host: use a name of"),
        ("https://[::1", "is not a URL"),
        ("https://[::zz]", "is not a URL"),
        ("https://h:99999", "is not a URL"),
        ("https://h:x", "is not a URL"),
        ("https://h:0", "has port 0: use"),
        ("https://h/a b", "has white space"),
        ("https://h/a\nb", "has white space"),
        (" https://h", "has white space"),
        ("https://h/é", "has a path that is not percent-encoded"),
        ("https://h/%zz", "has a path that is not percent-encoded"),
        ("https://h/a/../b", "has . or .. in its path"),
        ("https://h/./", "has . or .. in its path"),
        ("https://h?é", "has a query that is not percent-encoded"),
        ("https://h/#x", "has a fragment"),
        ("https://h#", "has a fragment"),
        (7, "is of type int"),
    ],
)
def test_what_is_no_endpoint_is_refused(url: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(region="us-east-1", endpoint_url=url)
    shown = f"is {url!r}, which {problem}" if isinstance(url, str) else problem
    assert str(caught.value).startswith(f"the argument endpoint_url {shown}")


@pytest.mark.parametrize(
    "url", ["https://user:pa55word@h", "https://user:pa55/word@h", "https://pa55word@h:x", "user:pa55word@h"]
)
def test_a_password_in_the_endpoint_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^AWS_ENDPOINT_URL ") as caught:
        resolve({"AWS_ENDPOINT_URL": url}, region="us-east-1")
    assert "pa55" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://h:443", "h", ""),
        ("http://h:80/", "h", ""),
        ("http://h:443/a//", "h:443", "/a/"),
        ("https://[2001:DB8:0::1]", "[2001:db8::1]", ""),
        (f"https://{'a.' * 127}b", f"{'a.' * 127}b", ""),
    ],
)
def test_an_endpoint_is_written_in_one_way(url: str, authority: str, path: str) -> None:
    endpoint = resolve(region="us-east-1", endpoint_url=url).endpoint
    assert (endpoint.authority, endpoint.path) == (authority, path)


hosts = st.sampled_from(["h", "H.Example", "a-b.c", "127.0.0.1", "[::1]", "a.", "1"]) | st.text(
    "abZ09-._", min_size=1, max_size=8
)
urls = st.builds(
    "{}://{}{}{}{}".format,
    st.sampled_from(["http", "https", "HTTP"]),
    hosts,
    st.sampled_from(["", ":80", ":443", ":8080", ":"]),
    st.sampled_from(["", "/", "/a", "/a/", "/a//b", "/%20", "//", "/a~b:c@d"]),
    st.sampled_from(["", "?", "?a=b", "?a&b=%2F"]),
)


@given(urls)
def test_an_endpoint_is_accepted_if_and_only_if_boto3_accepts_it(url: str) -> None:
    # But for IPv4 addresses that there cannot be, which boto3 lets through.
    def accepted(by: Callable[[], object]) -> bool:
        try:
            by()
        except (ValueError, ConfigurationError):
            return False
        return True

    impossible = re.search(r"//\d+(\.\d+){3}($|[:/?])", url) and "127.0.0.1" not in url
    if not impossible:
        ours = accepted(lambda: resolve(region="us-east-1", endpoint_url=url))
        assert ours == accepted(lambda: Boto3Wire(endpoint_url=url))


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("a.localhost", True),
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("127.0.0.1.example", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("notlocalhost", False),
        ("h", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert endpoints.is_loopback(host) is loopback


hosts = st.lists(st.text("az09-", min_size=1, max_size=3) | st.just("x" * 64), min_size=1, max_size=4).map(".".join)


@given(
    st.sampled_from(["http", "https", "HTTPS", "ftp"]),
    hosts | st.sampled_from(["127.0.0.1", "127.0.0.01", "[::1]", "a" * 63 + ("." + "b" * 62) * 4]),
    st.sampled_from(["", ":", ":0", ":1", ":80", ":443", ":08", ":65535", ":65536", ":99999"]),
    st.sampled_from(["", "/", "//", "/a", "?", "#"]),
)
@example("https", "a" * 63 + ("." + "b" * 62) * 4, "", "")
@example("http", "localhost", ":65536", "")
def test_plain_urls_are_read_as_all_others_are(scheme: str, host: str, port: str, rest: str) -> None:
    def read() -> Any:
        try:
            return endpoints.parse_endpoint(f"{scheme}://{host}{port}{rest}", "it")
        except ConfigurationError as error:
            return str(error)

    quickly = read()
    with mock.patch.object(endpoints, "_PLAIN_URL", "(?!)"):
        assert quickly == read()
