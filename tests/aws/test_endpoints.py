"""Endpoints, compared with boto3's."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
from botocore.config import Config
from botocore.exceptions import EndpointVariantError
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import ConfigurationError
from novaact_http._aws import endpoints
from novaact_http._aws import settings as settings_module
from novaact_http._call.http_messages import Endpoint, Origin
from tests.helpers.boto3_oracle import Boto3Wire, boto3_client
from tests.helpers.calls import CALL

if TYPE_CHECKING:
    from collections.abc import Callable


def resolve(environ: dict[str, str] | None = None, **arguments: Any) -> settings_module.Settings:
    return settings_module.resolve(**arguments, environ=environ or {})


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
def test_the_endpoint_of_a_region_is_the_same_as_boto3s(region: str, fips: bool, dualstack: bool) -> None:
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack)
    ours = resolve(region=region, use_fips=fips, use_dualstack=dualstack)
    try:
        wire = Boto3Wire(region=region, config=config)
    except EndpointVariantError:
        # boto3 reads an older table first, which lacks these. The newer table, which counts, has them.
        assert dualstack
        assert region.startswith(("eu-isoe", "us-isof", "aws-iso-e", "aws-iso-f"))
        return
    sent = wire.request_of(CALL)
    theirs = urlsplit(sent.url)
    host = theirs.netloc.lower()
    assert theirs.scheme == "https"
    assert ours.endpoint == Endpoint(Origin("https", host.lower(), 443), authority=host)
    authorization = sent.headers["Authorization"]
    assert ours.region == (authorization if isinstance(authorization, str) else authorization.decode()).split("/")[2]


def test_an_argument_goes_before_the_environment_even_if_it_is_false() -> None:
    environ = {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"}
    host = resolve(environ, region="us-east-1", use_fips=False, use_dualstack=False).endpoint.host
    assert host == "nova-act.us-east-1.amazonaws.com"


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
def test_fips_and_dualstack_are_refused_with_a_custom_endpoint(
    arguments: dict[str, Any], environ: dict[str, str], what: str
) -> None:
    with pytest.raises(
        ConfigurationError,
        match=rf"cannot be used .*\(Invalid Configuration: {what} and custom endpoint are not supported\): remove",
    ):
        resolve(environ, **{"region": "us-east-1", **arguments})


@pytest.mark.parametrize(
    ("argument", "environ", "host"),
    [
        ("http://a", {"AWS_ENDPOINT_URL_NOVA_ACT": "http://b", "AWS_ENDPOINT_URL": "http://c"}, "a"),
        (None, {"AWS_ENDPOINT_URL_NOVA_ACT": "http://b", "AWS_ENDPOINT_URL": "http://c"}, "b"),
        (None, {"AWS_ENDPOINT_URL_NOVA_ACT": "", "AWS_ENDPOINT_URL": "http://c"}, "c"),
        (None, {"AWS_ENDPOINT_URL": ""}, "nova-act.us-east-1.amazonaws.com"),
    ],
)
def test_the_endpoint_comes_from_the_argument_then_the_environment_then_the_region(
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
def test_a_malformed_endpoint_is_refused(url: Any, problem: str) -> None:
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
def test_an_endpoint_is_normalized(url: str, authority: str, path: str) -> None:
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
    # Except impossible IPv4 addresses, which boto3 accepts.
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
def test_plain_urls_give_the_same_endpoint_as_with_the_full_parser(
    scheme: str, host: str, port: str, rest: str
) -> None:
    def read() -> Any:
        try:
            return endpoints.parse_endpoint(f"{scheme}://{host}{port}{rest}", "it")
        except ConfigurationError as error:
            return str(error)

    quickly = read()
    with mock.patch.object(endpoints, "_PLAIN_URL", "(?!)"):
        assert quickly == read()
