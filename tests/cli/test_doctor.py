"""`novaact-http doctor` and `completion`."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import certifi
import pytest

import novaact_http
from novaact_http._aws.profiles import Profile
from novaact_http.cli import _doctor
from tests.helpers.command import COMMAND, naming, run
from tests.helpers.operations import OPERATIONS
from tests.helpers.platforms import needs_bash

if TYPE_CHECKING:
    from pathlib import Path

    from novaact_http.testing import LocalService

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMIEXAMPLEKEY"}


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The config file and the credentials file."""
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    config.write_text(
        "[profile dev]\nregion = eu-west-1\nmax_attempts = 5\nsdk_ua_app_id = shop\nservices = mine\n"
        "[services mine]\nnova_act =\n  endpoint_url = https://nova.example\n"
    )
    credentials.write_text(
        f"[dev]\naws_access_key_id = {KEYS['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = "
        f"{KEYS['AWS_SECRET_ACCESS_KEY']}\naws_session_token = TheToken\nretry_mode = standard\n"
    )
    return config, credentials


def shown(stdout: str) -> dict[str, str]:
    """Return the lines by their names. A line without a name is added to the one before."""
    lines: dict[str, str] = {}
    name = ""
    for line in stdout.splitlines():
        name = line[:16].strip() or name
        lines[name] = f"{lines[name]}; {line[16:]}" if name in lines else line[16:]
    return lines


@pytest.mark.usefixtures("keys")
def test_every_setting_is_shown_with_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret@proxy:3128")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    result = run("doctor")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = shown(result.stdout)
    assert lines.pop("CA bundle").endswith("cacert.pem  (the default, from certifi)")
    versions = f"{lines.pop('versions')}, {lines.pop('packages')}"
    assert f"novaact-http {novaact_http.__version__}," in versions
    for package in ("botocore", "rich"):
        assert f"{package} {importlib.metadata.version(package)}" in versions
    assert lines == {
        "profile": "default  (the default)",
        "region": "us-east-1  (AWS_DEFAULT_REGION)",
        "endpoint": "https://nova-act.us-east-1.amazonaws.com  (the region)",
        "FIPS": "no  (the default)",
        "dualstack": "no  (the default)",
        "proxy": "http://***@proxy:3128  (HTTPS_PROXY)",
        "connect timeout": "5 s  (the default)",
        "read timeout": "60 s  (the default)",
        "retry mode": "standard  (the default)",
        "max attempts": "7  (AWS_MAX_ATTEMPTS)",
        "app id": "none  (the default)",
        "credentials": "AKIA************MPLE  (the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY)",
        "validity": "permanent, no expiry time is known",
        "output": "table on a terminal, else json  (the default)",
    }


@pytest.mark.usefixtures("keys")
def test_without_certifi_the_system_s_trust_store_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "certifi", None)
    lines = shown(run("doctor", "--region", "us-east-1").stdout)
    assert lines["CA bundle"] == "none  (the system's trust store, as certifi is not installed)"


@pytest.mark.usefixtures("keys")
def test_the_variable_of_the_session_token_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "TheToken")
    keys = "AKIA************MPLE  (the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
    lines = shown(run("doctor").stdout)
    assert lines["credentials"] == f"{keys}, AWS_SESSION_TOKEN)"
    assert lines["validity"].startswith("temporary")
    monkeypatch.setenv("AWS_SECURITY_TOKEN", "TheOlderToken")  # wins, as in botocore
    assert shown(run("doctor").stdout)["credentials"] == f"{keys}, AWS_SECURITY_TOKEN)"


@pytest.mark.parametrize(
    ("origin", "variable", "added"),
    [
        ("container-role", "AWS_CONTAINER_CREDENTIALS_FULL_URI", ", because of AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ("custom-process", "", ", because of credential_process of the profile 'dev' in {}"),
        ("iam-role", "", ""),
        ("container-role", "", ""),
    ],
)
def test_the_setting_that_made_botocores_provider_answer_is_shown(
    origin: str, variable: str, added: str, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    files[0].write_text("[profile dev]\ncredential_process = program\n")
    if variable:
        monkeypatch.setenv(variable, "http://localhost")
    shown = _doctor._origin(f"botocore's chain of providers: {origin}", Profile("dev", os.environ))
    assert shown == f"botocore's chain of providers: {origin}{added.format(files[0])}"


def test_a_profiles_settings_are_shown_with_their_files(files: tuple[Path, Path]) -> None:
    config, credentials = files
    result = run("doctor", "--profile", "dev")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = shown(result.stdout)
    of_config = f"of the profile 'dev' in {config})"
    assert lines["profile"] == "dev  (--profile)"
    assert lines["region"] == f"eu-west-1  (region {of_config}"
    assert lines["endpoint"] == f"https://nova.example  (endpoint_url in the services section {of_config}"
    assert lines["retry mode"] == f"standard  (retry_mode of the profile 'dev' in {credentials})"
    assert lines["max attempts"] == f"5  (max_attempts {of_config}"
    assert lines["app id"] == f"shop  (sdk_ua_app_id {of_config}"
    assert lines["credentials"] == (
        "AKIA************MPLE  (botocore's chain of providers: shared-credentials-file, because of aws_access_key_id "
        f"of the profile 'dev' in {credentials})"
    )
    assert lines["validity"].startswith("temporary")
    for secret in (*KEYS.values(), "TheToken"):
        assert secret not in result.stdout


@pytest.mark.usefixtures("keys")
def test_options_override_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CREDENTIAL_EXPIRATION", "2999-01-01T00:00:00Z")
    bundle = tmp_path / "ca.pem"
    shutil.copyfile(certifi.where(), bundle)
    arguments = ("--region", "fips-eu-west-1", "--ca-bundle", str(bundle))
    lines = shown(run("doctor", *arguments).stdout)
    assert lines["region"] == "eu-west-1  (--region)"
    assert lines["FIPS"] == "yes  (--region)"
    assert lines["CA bundle"] == f"{bundle}  (--ca-bundle)"
    assert lines["validity"] == ("permanent, until 2999-01-01 00:00:00+00:00")
    of_endpoint = shown(run("doctor", "--endpoint-url", "https://example.com:8443/base").stdout)
    assert of_endpoint["endpoint"] == "https://example.com:8443/base  (--endpoint-url)"


def test_everything_that_is_missing_is_reported() -> None:
    result = run("doctor")
    assert result.exit_code == 253
    region, credentials = result.stderr.splitlines()
    assert region == "novaact-http: no region is set: pass --region or set AWS_REGION, for example to us-east-1"
    assert credentials.startswith("novaact-http: no credentials were found (tried in this order: env, assume-role,")
    assert credentials.endswith("): pass --profile, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
    assert "argument" not in credentials
    lines = shown(result.stdout)
    assert (lines["region"], lines["credentials"]) == ("missing or wrong", "missing or wrong")
    assert lines["app id"] == "none  (the default)"


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize(
    ("environ", "messages"),
    [
        ({"AWS_MAX_ATTEMPTS": "x"}, ["no region is set", "AWS_MAX_ATTEMPTS is 'x'"]),
        ({"AWS_MAX_ATTEMPTS": "x", "AWS_REGION": "us-east-1"}, ["AWS_MAX_ATTEMPTS is 'x'"]),
        (
            {"AWS_CA_BUNDLE": "/no/such", "AWS_REGION": "us-east-1"},
            ["AWS_CA_BUNDLE is '/no/such', which cannot be used"],
        ),
        ({"AWS_PROFILE": "nobody", "AWS_REGION": "us-east-1"}, ["AWS_PROFILE is 'nobody', which is a profile of nei"]),
        ({"AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "us-east-1"}, ["AWS_SECRET_ACCESS_KEY is not set"]),
    ],
)
def test_everything_that_is_wrong_is_reported(
    environ: dict[str, str], messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    result = run("doctor")
    assert result.exit_code == 253
    lines = result.stderr.splitlines()
    assert len(lines) == len(messages)
    for line, message in zip(lines, messages, strict=True):
        assert line.startswith(f"novaact-http: {message}")
    assert run("doctor", "--profile", "nobody").stderr.count("--profile is 'nobody'") == 1


@pytest.mark.usefixtures("keys")
def test_the_librarys_warnings_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stderr.startswith("novaact-http: warning: AWS_RETRY_MODE is legacy")


NO_RUN = "01234567-89ab-4cde-8f01-23456789abcd"
READS = (
    "ListWorkflowDefinitions",
    "GetWorkflowDefinition",
    "ListWorkflowRuns",
    "GetWorkflowRun",
    "ListSessions",
    "ListActs",
    "ListModels",
)


def test_calls_show_what_the_credentials_allow(world: LocalService) -> None:
    result = run("doctor", "--call")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = shown(result.stdout)
    assert re.sub("[0-9]+", "N", lines["calls"]).split("; ") == [f"{each}: allowed, after N ms" for each in READS]
    assert lines["clock"] == "agrees with the service's"
    assert tuple(each.operation for each in world.calls) == READS
    assert {each.error_code for each in world.calls} == {None}  # what was listed first is asked for


def test_calls_try_all_operations_that_read() -> None:
    assert {each for each in OPERATIONS if each.startswith(("Get", "List"))} == set(READS)


def test_what_is_not_found_is_allowed(bare_world: LocalService) -> None:
    result = run("doctor", "--call")
    assert (result.exit_code, result.stderr) == (0, "")
    assert shown(result.stdout)["calls"].count(": allowed, after ") == len(READS)
    assert [each.error_code for each in bare_world.calls].count("ResourceNotFoundException") == 5


def test_the_run_that_is_named_is_asked_for(world: LocalService) -> None:
    assert run("doctor", "--call", *naming(world.runs[-1])).exit_code == 0
    asked = [each.arguments.get("workflow_run_id") for each in world.calls]
    assert asked == [None, None, None, *[world.runs[-1].workflow_run_id] * 3, None]


@pytest.mark.parametrize(
    ("options", "operation"), [((), "GetWorkflowDefinition"), (("--workflow-run-id", NO_RUN), "GetWorkflowRun")]
)
def test_what_is_named_and_missing_is_an_error(options: tuple[str, ...], operation: str, world: LocalService) -> None:
    of = world.runs[0].workflow_definition_name if options else "nope"
    result = run("doctor", "--call", "--workflow-definition-name", of, *options)
    assert result.exit_code == 254
    assert result.stderr.count("\n") == 1
    assert f"(ResourceNotFoundException) when calling the {operation} operation" in result.stderr
    assert shown(result.stdout)["calls"].count(": allowed, after ") == len(READS)


@pytest.mark.parametrize("code", ["InvalidSignatureException", "ExpiredTokenException"])
def test_credentials_that_are_refused_are_tried_once(code: str, world: LocalService) -> None:
    world.answer_next(403, b"{}", {"x-amzn-ErrorType": code, "Date": "Tue, 01 Jan 2030 00:00:00 GMT"})
    result = run("doctor", "--call")
    assert (result.exit_code, result.stderr.count("\n"), len(world.requests)) == (254, 1, 1)
    assert "clock" in shown(result.stdout)


def test_a_profile_without_credentials_is_told_from_variables(
    files: tuple[Path, Path],
    keys: None,
    world: LocalService,
) -> None:
    files[1].write_text("")
    for command in (["doctor"], ["list-workflow-definitions"]):
        result = run(*command, "--profile", "dev")
        assert result.exit_code == 253
        assert "add them to the profile, or leave out --profile to use those of AWS_ACCESS_KEY_ID" in result.stderr


def test_a_permission_that_is_lacking_has_the_errors_exit_code(world: LocalService) -> None:
    world.inject("AccessDeniedException", operation="GetWorkflowRun")
    world.inject("AccessDeniedException", operation="ListActs")
    result = run("doctor", "--call")
    assert result.exit_code == 254
    first, second = result.stderr.splitlines()
    assert first.endswith("these credentials lack the IAM permission nova-act:GetWorkflowRun")
    assert second.endswith("these credentials lack the IAM permission nova-act:ListActs")
    lines = shown(result.stdout)
    assert "GetWorkflowRun: AccessDeniedException, after" in lines["calls"]
    assert "ListModels: allowed, after" in lines["calls"]
    assert lines["clock"] == "agrees with the service's"


def test_no_more_calls_are_made_without_a_connection(world: LocalService) -> None:
    result = run("doctor", "--call", "--endpoint-url", "http://127.0.0.1:1")
    assert result.exit_code == 255
    assert result.stderr.count("Connection refused") == 1
    lines = shown(result.stdout)
    assert lines["calls"].startswith("ListWorkflowDefinitions: TransportError, after ")
    assert "clock" not in lines
    assert not world.requests


def test_the_findings_can_be_json(world: LocalService) -> None:
    world.inject("AccessDeniedException", operation="ListActs")
    result = run("doctor", "--call", "--output", "json")
    assert result.exit_code == 254
    document = json.loads(result.stdout)
    assert {"name": "region", "value": "us-east-1", "source": "AWS_REGION"} in document["findings"]
    names = [each["name"] for each in document["findings"]]
    assert len(set(names)) == len(names)
    assert [each["operation"] for each in document["calls"]] == list(READS)
    outcomes = [(each["allowed"], each["error"], type(each["milliseconds"])) for each in document["calls"]]
    failed = (False, "AccessDeniedException", int)
    assert outcomes == [failed if each == "ListActs" else (True, None, int) for each in READS]
    assert len(document["problems"]) == 1
    assert document["problems"][0] in result.stderr


@pytest.mark.usefixtures("keys")
def test_the_options_of_the_connection_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_OUTPUT", "text")
    options = ("--cli-connect-timeout", "0", "--cli-read-timeout", "7", "--max-attempts", "9", "--no-verify-ssl")
    lines = shown(run("doctor", *options).stdout)
    assert lines["connect timeout"] == "none  (--cli-connect-timeout)"
    assert lines["read timeout"] == "7 s  (--cli-read-timeout)"
    assert lines["max attempts"] == "9  (--max-attempts)"
    assert lines["CA bundle"] == "none, no certificate is checked  (--no-verify-ssl)"
    assert lines["output"] == "text  (AWS_DEFAULT_OUTPUT)"
    monkeypatch.setenv("AWS_DEFAULT_OUTPUT", "yaml")
    result = run("doctor")
    assert result.exit_code == 253
    assert "AWS_DEFAULT_OUTPUT is 'yaml', which this command cannot print" in result.stderr


def test_no_call_is_made_if_something_is_missing(world: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    assert run("doctor", "--call", *naming(world.runs[0])).exit_code == 253
    assert not world.requests


def test_a_run_is_of_a_definition() -> None:
    result = run("doctor", "--call", "--workflow-run-id", "a")
    assert (result.exit_code, result.stdout) == (252, "")
    assert "--workflow-run-id needs --workflow-definition-name" in result.stderr


@pytest.mark.parametrize("name", ["a", ""])
def test_the_options_of_a_run_need_a_call(name: str) -> None:
    result = run("doctor", "--workflow-definition-name", name)
    assert (result.exit_code, result.stdout) == (252, "")
    assert "--workflow-run-id are for the calls: add --call" in result.stderr


def test_a_clock_that_differs_is_reported(world: LocalService) -> None:
    date = {"Date": "Tue, 01 Jan 2030 00:00:00 GMT"}
    world.answer_next(200, b'{"workflowDefinitionSummaries": []}', date)
    lines = shown(run("doctor", "--call", *naming(world.runs[0])).stdout)
    assert lines["clock"].endswith(" s behind the service's")


@pytest.mark.parametrize(
    ("now", "date", "result"),
    [
        (10.0, "Thu, 01 Jan 1970 00:00:10 GMT", "agrees with the service's"),
        (12.0, "Thu, 01 Jan 1970 00:00:10 GMT", "agrees with the service's"),
        (13.0, "Thu, 01 Jan 1970 00:00:10 GMT", "3 s ahead of the service's"),
        (0.0, "Thu, 01 Jan 1970 00:00:10 GMT", "10 s behind the service's"),
        (0.0, "", "not compared, as the response has no date"),
    ],
)
def test_clocks_are_compared(now: float, date: str, result: str) -> None:
    assert _doctor._compare_clocks(now, date) == result


@pytest.mark.parametrize(
    ("key_id", "shown"),
    [("AKIAIOSFODNN7EXAMPLE", "AKIA************MPLE"), ("short", "************"), ("fifteen-letters", "************")],
)
def test_keys_are_masked(key_id: str, shown: str) -> None:
    assert _doctor.masked(key_id) == shown


@pytest.mark.usefixtures("keys")
def test_a_package_without_metadata_has_an_unknown_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", missing)
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    assert "botocore unknown" in run("doctor").stdout


@needs_bash
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    result = run("completion", shell)
    assert result.exit_code == 0
    assert f"_NOVAACT_HTTP_COMPLETE={shell}_complete" in result.stdout
    assert "novaact-http" in result.stdout


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            "novaact-http l",
            {"list-acts", "list-models", "list-sessions", "list-workflow-definitions", "list-workflow-runs", "local"},
        ),
        ("novaact-http list-sessions --output ", {"table", "json", "jsonl", "text", "ids"}),
        ("novaact-http list-sessions --no-", {"--no-paginate", "--no-verify-ssl"}),
    ],
)
def test_bash_completes_commands_and_options(words: str, expected: set[str]) -> None:
    environ: dict[str, Any] = {
        **os.environ,
        "_NOVAACT_HTTP_COMPLETE": "bash_complete",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    done = subprocess.run([COMMAND], env=environ, capture_output=True, text=True, check=True)
    assert {line.partition(",")[2] for line in done.stdout.split()} == expected
