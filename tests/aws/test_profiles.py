"""The shared configuration files, compared with how botocore reads them."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.session
import pytest
from botocore.exceptions import ConfigParseError, ProfileNotFound
from hypothesis import example, given
from hypothesis import strategies as st

from novaact_http import AsyncClient, Client, ConfigurationError
from novaact_http._aws import profiles
from novaact_http._aws import settings as settings_module
from novaact_http._aws.profiles import Profile
from tests.helpers.boto3_oracle import boto3_client
from tests.helpers.calls import OPTIONS

CONFIG = """
[default]
region = eu-west-1

[profile dev]
REGION = eu-central-1
use_fips_endpoint = true
s3 =
  addressing_style = path

[profile "two words"]
region = eu-north-1

[profile far]
services = elsewhere

[services elsewhere]
nova_act =
  endpoint_url = http://127.0.0.1:7
sts =
  endpoint_url = http://127.0.0.1:8

[dev2]
region = not-a-profile
"""
CREDENTIALS = """
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = defaultsecretdefaultsecret

[dev]
region = eu-south-1

[only-here]
region = us-west-2

[empty]
"""


class Files:
    """Configuration files, and the environment that names them."""

    def __init__(self, folder: Path) -> None:
        self.config, self.credentials = folder / "config", folder / "credentials"
        self.environ = {"AWS_CONFIG_FILE": str(self.config), "AWS_SHARED_CREDENTIALS_FILE": str(self.credentials)}

    def write(self, config: str | None = None, credentials: str | None = None) -> Files:
        for path, text in ((self.config, config), (self.credentials, credentials)):
            if text is not None:
                path.write_text(text, encoding="utf-8")
        return self

    def profile(self, argument: str | None = None, **environ: str) -> Profile:
        return Profile(argument, {**self.environ, **environ})


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.mark.parametrize(
    ("argument", "environ", "region"),
    [
        (None, {}, "eu-west-1"),
        (None, {"AWS_PROFILE": "dev"}, "eu-south-1"),
        (None, {"AWS_PROFILE": "dev", "AWS_DEFAULT_PROFILE": "two words"}, "eu-north-1"),
        ("only-here", {"AWS_PROFILE": "dev"}, "us-west-2"),
        ("default", {"AWS_PROFILE": "dev"}, "eu-west-1"),
        ("empty", {}, None),
        ("dev2", {}, ProfileNotFound),
        (None, {"AWS_PROFILE": ""}, ProfileNotFound),
        (None, {"AWS_PROFILE": "nobody"}, ProfileNotFound),
    ],
)
def test_the_profile_is_chosen_as_botocore_chooses_it(
    files: Files, argument: str | None, environ: dict[str, str], region: Any
) -> None:
    files.write(CONFIG, CREDENTIALS)
    with mock.patch.dict(os.environ, {**files.environ, **environ}):
        theirs = botocore.session.Session(profile=argument)
        if region is ProfileNotFound:
            with pytest.raises(ProfileNotFound):
                theirs.get_config_variable("region")
            with pytest.raises(ConfigurationError, match="is a profile of neither the config file nor the credentials"):
                files.profile(argument, **environ).get("region")
        else:
            assert theirs.get_config_variable("region") == region
            assert files.profile(argument, **environ).get("region") == region


def test_the_error_of_a_missing_profile_names_its_source_and_the_profiles_that_exist(files: Files) -> None:
    files.write(CONFIG)
    with pytest.raises(ConfigurationError, match=r"^AWS_PROFILE is 'de', which .* has default, dev, far, two words$"):
        files.profile(AWS_PROFILE="de").get("region")
    with pytest.raises(ConfigurationError, match=r"^the argument profile is 'de'"):
        files.profile("de")
    files.write("")
    with pytest.raises(ConfigurationError, match=r"the config file has none$"):
        files.profile("de")


@pytest.mark.parametrize("make", [Client, AsyncClient])
def test_a_profile_that_is_not_text_is_refused(make: Any) -> None:
    with pytest.raises(ConfigurationError, match="the argument profile is of type int: pass the name of a profile"):
        make(**OPTIONS, profile=7)


def test_files_may_be_missing(files: Files) -> None:
    assert files.profile().get("region") is None


def test_a_folder_counts_as_a_missing_file(files: Files) -> None:
    files.config.mkdir()
    assert files.profile().get("region") is None


def test_files_are_read_once(files: Files) -> None:
    profile = files.write("[default]\nregion = a\n").profile()
    assert profile.get("region") == "a"
    files.write("[default]\nregion = b\n")
    assert profile.get("region") == "a"


def test_files_are_found_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws/config").write_text("[default]\nregion = eu-west-3\n")
    (tmp_path / ".aws/credentials").write_text("[default]\naws_access_key_id = a\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    profile = Profile(None, {})
    assert profile.get("region") == "eu-west-3"
    assert profile.get("aws_access_key_id") == "a"


def test_paths_may_hold_variables(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(CONFIG)
    monkeypatch.setenv("FOLDER", str(files.config.parent))
    assert Profile(None, {"AWS_CONFIG_FILE": "$FOLDER/config"}).get("region") == "eu-west-1"


@pytest.mark.parametrize(
    "text",
    [
        "aws_secret_access_key = wJalrXUtnFEMI",
        "[default]\naws_secret_access_key wJalrXUtnFEMI\n",
        "[default]\naws_secret_access_key = a\naws_secret_access_key = wJalrXUtnFEMI\n",
        "[default]\n[default]\n",
        "[default]\ns3 =\n  wJalrXUtnFEMI\n",
        "[default\n",
    ],
)
def test_a_file_in_another_format_is_named_and_not_quoted(files: Files, text: str) -> None:
    files.write(None, text)
    with pytest.raises(ConfigurationError, match=r"the file '.*credentials' is not in the format") as caught:
        files.profile().get("region")
    assert "wJalrXUtnFEMI" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    with mock.patch.dict(os.environ, files.environ), pytest.raises(Exception, match=r"[Pp]ars"):
        botocore.session.Session().get_config_variable("region")


def test_the_error_gives_the_number_of_the_wrong_line(files: Files) -> None:
    for text in ("[default]\nregion = a\nregion = b\n", "[default]\n\nregion\nregion\n"):
        files.write(text)
        with pytest.raises(ConfigurationError, match=r"config files \(line 3\): correct it, or set AWS_CONFIG_FILE"):
            files.profile().get("region")


def test_a_file_that_is_not_text_is_named(files: Files) -> None:
    files.config.write_bytes(b"[default]\nregion = \xff\n")
    with pytest.raises(ConfigurationError, match=r"the file '.*config' is not in UTF-8 \(line 2\)"):
        files.profile().get("region")


def test_a_file_that_cannot_be_read_is_named(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    files.write(CONFIG)
    monkeypatch.setattr(profiles, "open", denied, raising=False)
    with pytest.raises(
        ConfigurationError, match=r"the file '.*config' cannot be read \(Permission denied\): allow"
    ) as caught:
        files.profile().get("region")
    assert isinstance(caught.value.__cause__, PermissionError)


titles = st.sampled_from(
    [
        "default",
        "profile a",
        'profile "a"',
        "profile 'a",
        "profile a b",
        "profile default",
        "profile",
        "a",
        "DEFAULT",
        "services a",
        "sso-session a",
        "profilea",
        "profile\ta",
    ]
)
files_of_text = st.lists(
    st.tuples(
        titles, st.dictionaries(st.sampled_from(["region", "Region", "x"]), st.sampled_from(["1", "", "a=b # c"]))
    ),
    unique_by=lambda each: each[0],
    max_size=4,
)


@given(files_of_text, files_of_text, st.sampled_from([None, "default", "a"]))
@example([("profile 'a", {"x": "1"})], [], "a").via("a quote without an end: not a profile")
@example([('profile "a"', {"x": "1"})], [], "a")
@example([("profile 'a", {"x": "1"})], [], "'a")
@example([("profile a\\ b", {"x": "1"})], [], "a b")
@example([("profilex a", {"x": "1"})], [], "a")
@example([("default", {"x": "100% %(region)s", "region": "1\n  a = b"})], [], None)
@example([("profile a b", {"x": "1"}), ("profile", {"x": "2"})], [("a", {"x": "3"})], "a")
def test_any_files_are_read_as_botocore_reads_them(config: Any, credentials: Any, name: str | None) -> None:
    def text(sections: Any) -> str:
        return "".join(
            f"[{title}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
            for title, values in sections
        )

    with tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder)).write(text(config), text(credentials))
        with mock.patch.dict(os.environ, files.environ):
            try:
                theirs = botocore.session.Session(profile=name).get_scoped_config()
            except ProfileNotFound:
                with pytest.raises(ConfigurationError, match="is a profile of neither"):
                    files.profile(name)
                return
            except ConfigParseError:
                with pytest.raises(ConfigurationError, match="is not in the format"):
                    files.profile(name).get("x")
                return
        ours = files.profile(name)
        assert {key: ours.get(key) for key in ("region", "x")} == {key: theirs.get(key) for key in ("region", "x")}


# Settings that a profile has.


def resolve(
    files: Files, config: str, *, environ: dict[str, str] | None = None, **arguments: Any
) -> settings_module.Settings:
    files.write(config)
    return settings_module.resolve(**arguments, environ={**files.environ, **(environ or {})})


@pytest.mark.parametrize(
    ("key", "value", "variable", "of_environment"),
    [
        ("region", "eu-west-1", "AWS_DEFAULT_REGION", "eu-west-2"),
        ("use_fips_endpoint", "true", "AWS_USE_FIPS_ENDPOINT", "false"),
        ("use_dualstack_endpoint", "TRUE", "AWS_USE_DUALSTACK_ENDPOINT", "false"),
        ("endpoint_url", "http://127.0.0.1:1", "AWS_ENDPOINT_URL", "http://127.0.0.1:2"),
        ("endpoint_url", "http://127.0.0.1:1", "AWS_ENDPOINT_URL_NOVA_ACT", "http://127.0.0.1:2"),
        ("max_attempts", "7", "AWS_MAX_ATTEMPTS", "8"),
        ("sdk_ua_app_id", "shop", "AWS_SDK_UA_APP_ID", "till"),
        ("ca_bundle", "ca.pem", "AWS_CA_BUNDLE", "other.pem"),
    ],
)
def test_a_setting_of_the_profile_counts_as_in_boto3_unless_the_environment_has_it(
    files: Files, key: str, value: str, variable: str, of_environment: str
) -> None:
    def ours(**environ: str) -> tuple[Any, ...]:
        settings = resolve(files, f"[default]\n{key} = {value}\n", environ={"AWS_DEFAULT_REGION": "x-1", **environ})
        endpoint = settings.endpoint
        bundle = None if settings.ca_bundle is None else settings.ca_bundle.value
        return f"{endpoint.scheme}://{endpoint.authority}", settings.retries.max_attempts, settings.app_id, bundle

    def theirs(**environ: str) -> tuple[Any, ...]:
        files.write(f"[default]\n{key} = {value}\n")
        with mock.patch.dict(os.environ, {**files.environ, "AWS_DEFAULT_REGION": "x-1", **environ}):
            session = botocore.session.Session()
            client = session.create_client("nova-act", aws_access_key_id="a", aws_secret_access_key="b")
            config = client.meta.config
            return (
                client.meta.endpoint_url,
                config.retries.get("total_max_attempts", 3),
                config.user_agent_appid or "",
                session.get_config_variable("ca_bundle"),
            )

    if key == "region":
        assert resolve(files, f"[default]\nregion = {value}\n").region == value
    else:
        assert ours() != ours(**{variable: of_environment})
        assert ours() == theirs()
    assert ours(**{variable: of_environment}) == theirs(**{variable: of_environment})


def test_a_region_of_the_profile_may_ask_for_fips(files: Files) -> None:
    assert (
        resolve(files, "[default]\nregion = fips-us-east-1\n").endpoint.host == "nova-act-fips.us-east-1.amazonaws.com"
    )


SERVICES = "[default]\nservices = s\nendpoint_url = http://127.0.0.1:5\n[services s]\n{}\n"


@pytest.mark.parametrize(
    ("section", "environ", "port"),
    [
        ("nova_act =\n  endpoint_url = http://127.0.0.1:6", {}, 6),
        ("nova_act =\n  endpoint_url = http://127.0.0.1:6", {"AWS_ENDPOINT_URL": "http://127.0.0.1:2"}, 2),
        ("nova-act =\n  endpoint_url = http://127.0.0.1:6", {}, 5),
        ("nova_act =\n  endpoint_url = ", {}, 5),
        ("nova_act =\n  endpoint_url = http://127.0.0.1:6?a=b", {}, 6),
        ("nova_act =\n  region = x", {}, 5),
        ("sts =\n  endpoint_url = http://127.0.0.1:6", {}, 5),
        ("sts =\n  endpoint_url = http://127.0.0.1:6", {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, 443),
    ],
)
def test_the_endpoint_of_the_services_section_counts_as_in_boto3(
    files: Files, section: str, environ: dict[str, str], port: int
) -> None:
    settings = resolve(files, SERVICES.format(section), environ=environ, region="us-east-1")
    assert settings.endpoint.origin.port == port
    with mock.patch.dict(os.environ, {**files.environ, **environ}):
        client = botocore.session.Session().create_client(
            "nova-act", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
    query = f"?{settings.endpoint.query}" if settings.endpoint.query else ""
    assert client.meta.endpoint_url == f"{settings.endpoint.scheme}://{settings.endpoint.authority}{query}"


def test_an_empty_endpoint_of_the_profile_is_ignored(files: Files) -> None:
    settings = resolve(files, "[default]\nendpoint_url =\n", region="us-east-1")
    assert settings.endpoint.host == "nova-act.us-east-1.amazonaws.com"


def test_the_profile_may_say_that_configured_endpoints_are_ignored(files: Files) -> None:
    text = "[default]\nendpoint_url = http://127.0.0.1:5\nignore_configured_endpoint_urls = true\n"
    assert resolve(files, text, region="us-east-1").endpoint.origin.port == 443


def test_a_services_section_that_is_not_a_mapping_is_ignored(files: Files) -> None:
    assert resolve(files, SERVICES.format("nova_act = http://h"), region="us-east-1").endpoint.origin.port == 5


@pytest.mark.parametrize("value", ["nobody", "\n  a = b", "default", "empty"])
def test_a_missing_services_section_is_refused(files: Files, value: str) -> None:
    with pytest.raises(
        ConfigurationError,
        match=r"^services of the profile 'default' is .*, but the config file has no services section",
    ):
        resolve(files, f"[default]\nservices = {value}\n[services empty]\n", region="us-east-1")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("region = a b", "region of the profile 'default' is 'a b', which is not a region"),
        ("region =", "region of the profile 'default' is '', which is not a region"),
        ("region =\n  a = b", "region of the profile 'default' is {'a': 'b'}, which is not a region"),
        (
            "use_fips_endpoint = on",
            "use_fips_endpoint of the profile 'default' is 'on', which is neither true nor false: use one of true",
        ),
        (
            "use_dualstack_endpoint =\n  a = b",
            "use_dualstack_endpoint of the profile 'default' is {'a': 'b'}, which is neither",
        ),
        ("ignore_configured_endpoint_urls = 7", "ignore_configured_endpoint_urls of the profile 'default' is '7'"),
        (
            "endpoint_url = nowhere",
            "endpoint_url of the profile 'default' is 'nowhere', which does not begin with https://",
        ),
        ("endpoint_url =\n  a = b", "endpoint_url of the profile 'default' is of type dict: use a URL"),
        (
            "retry_mode = fast",
            "retry_mode of the profile 'default' is 'fast', which is not a retry mode: use one of standard",
        ),
        (
            "retry_mode =\n  a = b",
            "retry_mode of the profile 'default' is {'a': 'b'}, which is not a retry mode: use one of",
        ),
        ("max_attempts = 0", "max_attempts of the profile 'default' is '0', which is not a number of attempts"),
        ("max_attempts =\n  a = b", "max_attempts of the profile 'default' is {'a': 'b'}, which is not a number of"),
        ("sdk_ua_app_id =\n  a = b", "sdk_ua_app_id of the profile 'default' is of type dict: use text"),
        ("ca_bundle =", "ca_bundle of the profile 'default' is '', which is not the path of a CA bundle: set"),
        (
            "ca_bundle =\n  a = b",
            "ca_bundle of the profile 'default' is {'a': 'b'}, which is not the path of a CA bundle",
        ),
    ],
)
def test_a_wrong_value_is_named_with_its_profile(files: Files, line: str, problem: str) -> None:
    region = "" if line.startswith("region") else "region = us-east-1\n"
    with pytest.raises(ConfigurationError) as caught:
        resolve(files, f"[default]\n{region}{line}\n")
    assert str(caught.value).startswith(problem)


def test_the_remark_on_a_retry_mode_names_its_source(files: Files) -> None:
    (remark,) = resolve(files, "[default]\nretry_mode = legacy\n", region="us-east-1").remarks
    assert remark.startswith("retry_mode of the profile 'default' is legacy")


def test_a_retry_mode_of_the_profile_is_used(files: Files) -> None:
    settings = resolve(files, "[default]\nretry_mode = adaptive\n", region="us-east-1")
    assert settings.retries.mode == "adaptive"
    assert settings.remarks == ()


def test_files_are_not_read_if_the_arguments_and_the_environment_set_everything(files: Files) -> None:
    environ = {"AWS_CA_BUNDLE": "ca.pem", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true", "AWS_SDK_UA_APP_ID": "a"}
    retries = {"AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "3"}
    settings = resolve(
        files, "nonsense", environ={**environ, **retries}, region="us-east-1", use_fips=False, use_dualstack=False
    )
    assert settings.region == "us-east-1"


def test_a_client_takes_its_settings_from_its_profile(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    files.write(CONFIG, CREDENTIALS)
    for name, value in files.environ.items():
        monkeypatch.setenv(name, value)
    assert "eu-west-1" in repr(Client())
    assert "region='us-west-2'" in repr(Client(profile="only-here"))
    assert repr(Client(profile="far", region="x")) == "Client(region='x', endpoint='127.0.0.1:7')"
    assert boto3_client(region="x").meta.endpoint_url == "https://nova-act.x.amazonaws.com"
    with pytest.raises(ConfigurationError, match="the argument profile is 'nobody'"):
        Client(**OPTIONS, profile="nobody", use_fips=False, use_dualstack=False)
