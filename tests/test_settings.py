"""Region and endpoint, against boto3's where it has an answer."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import ConfigurationError, _settings
from novaact_http._wire import Endpoint
from support import CALL, Boto3Wire, boto3_client

if TYPE_CHECKING:
    from collections.abc import Callable


def resolve(environ: dict[str, str] | None = None, **arguments: Any) -> _settings.Settings:
    return _settings.resolve(**{"region": None, "endpoint_url": None, **arguments}, environ=environ or {})


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


@pytest.mark.parametrize(
    "region",
    [
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
        "x",
        "US-EAST-1",
    ],
)
def test_a_regions_endpoint_is_boto3s(region: str) -> None:
    theirs = urlsplit(Boto3Wire(region=region).request_of(CALL).url)
    host = theirs.netloc.lower()
    assert theirs.scheme == "https"
    assert resolve(region=region).endpoint == Endpoint(scheme="https", host=host, port=443, authority=host)


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
        ("", "must begin with https://"),
        ("nova-act.example", "must begin with https://"),
        ("//nova-act.example", "must begin with https://"),
        ("ftp://h", "must begin with https://"),
        ("https://", "needs a host name"),
        ("https:///path", "needs a host name"),
        ("https://h_x", "needs a host name"),
        ("https://a..b", "needs a host name"),
        ("https://999.1.1.1", "is not a URL"),
        ("https://127.0.0.01", "is not a URL"),
        ("https://-a", "needs a host name"),
        ("https://bücher.example", "needs a host name"),
        ("https://[fe80::1%eth0]", "needs a host name"),
        (f"https://{'a.' * 127}bc", "needs a host name"),
        ("https://[::1", "is not a URL"),
        ("https://[::zz]", "is not a URL"),
        ("https://h:99999", "is not a URL"),
        ("https://h:x", "is not a URL"),
        ("https://h:0", "must not have port 0"),
        ("https://h/a b", "must not have white space"),
        ("https://h/a\nb", "must not have white space"),
        (" https://h", "must not have white space"),
        ("https://h/é", "must have a percent-encoded path"),
        ("https://h/%zz", "must have a percent-encoded path"),
        ("https://h/a/../b", "must not have . or .. in its path"),
        ("https://h/./", "must not have . or .. in its path"),
        ("https://h?é", "must have a percent-encoded query"),
        ("https://h/#x", "must not have a fragment"),
        ("https://h#", "must not have a fragment"),
        (7, "must be a str"),
    ],
)
def test_what_is_no_endpoint_is_refused(url: Any, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        resolve(region="us-east-1", endpoint_url=url)
    assert str(caught.value).startswith(f"the argument endpoint_url {problem}")


@pytest.mark.parametrize("url", ["https://user:pa55word@h", "https://user:pa55/word@h", "https://pa55word@h:x"])
def test_a_password_in_the_endpoint_is_refused_and_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^AWS_ENDPOINT_URL ") as caught:
        resolve({"AWS_ENDPOINT_URL": url}, region="us-east-1")
    assert "pa55" not in str(caught.value)


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
        ("h", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert _settings.is_loopback(host) is loopback
