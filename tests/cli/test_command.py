"""The command itself: help, version, usage, and what it imports."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner

from novaact_http import cli
from novaact_http.cli import _commands, _errors, _options
from tests.helpers.command import naming, raising, run
from tests.helpers.programs import loaded_after

if TYPE_CHECKING:
    from collections.abc import Sequence

    from novaact_http.testing import LocalService


def test_help_and_version() -> None:
    assert "novaact-http list-sessions \\\n      --workflow-definition-name" in run("list-sessions", "--help").stdout
    assert "ready URL REGION ACCESS_KEY_ID SECRET_ACCESS_KEY" in run("local", "--help").stdout
    assert run("--version").stdout.startswith("novaact-http, version ")


def test_without_a_command_help_is_shown() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, run("--help").stdout)
    assert all(each in result.stdout for each in ("list-sessions", "doctor", "completion", "local"))


def test_help_groups_options_under_headings() -> None:
    shown = run("list-sessions", "--help").stdout
    headings = [line for line in shown.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "What to ask for:",
        "Output:",
        "Paging:",
        "Endpoint and credentials:",
        "Timeouts, attempts and TLS:",
        "Other:",
    ]
    paging = shown.partition("Paging:")[2].partition("Endpoint and")[0]
    assert "--max-items N" in paging
    assert "--region" not in paging


def test_help_names_all_sources_of_trusted_certificates() -> None:
    shown = " ".join(run("list-sessions", "--help").stdout.split())
    assert "Default: AWS_CA_BUNDLE, the profile, REQUESTS_CA_BUNDLE, SSL_CERT_FILE, certifi." in shown


def test_help_lists_the_exit_codes() -> None:
    shown = " ".join(run("list-sessions", "--help").stdout.split())
    assert "the exit code is that of the first run, in the order given, that failed" in shown
    assert all(str(code) in shown for code in (_errors.USAGE, _errors.CONFIGURATION, _errors.SERVICE, _errors.GENERAL))


def test_help_leaves_out_hidden_options() -> None:
    command = _options.Command(
        "a", params=[_options.Option(["--shown"], group="One"), click.Option(["--b"], hidden=True)]
    )
    shown = CliRunner().invoke(command, ["--help"]).stdout
    assert "One:\n  --shown TEXT" in shown
    assert "--b" not in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["list-sessions"], "Missing option '--workflow-definition-name'; see novaact-http list-sessions --help"),
        (["list-sessions", "--xyzzy"], "No such option '--xyzzy'; see novaact-http list-sessions --help"),
        (
            ["list-sessions", "--region"],
            "Option '--region' requires an argument; see novaact-http list-sessions --help",
        ),
        (
            ["completion", "tcsh"],
            "Invalid value for 'SHELL': 'tcsh' is not one of 'bash', 'zsh', 'fish'; see novaact-http completion --help",
        ),
        (["nonsense"], "No such command 'nonsense'; see novaact-http --help"),
    ],
)
def test_wrong_usage_is_explained_on_one_line(arguments: Sequence[str], message: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (252, "")
    assert result.stderr.replace("option: --", "option '--") == f"novaact-http: {message}\n"


@pytest.mark.parametrize("missing", ["click", "jmespath", "rich"])
def test_without_the_extra_the_command_says_what_to_install(
    missing: str, world: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [each for each in sys.modules if each.partition(".")[0] == missing or each.endswith("_commands")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr(cli, "_commands", raising=False)

    class Missing:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == missing:
                raise ModuleNotFoundError(name, name=name)

    monkeypatch.setattr(sys, "meta_path", [Missing, *sys.meta_path])
    form = ["--output", "json", "--query", "a"] if missing == "jmespath" else ["--output", "table"]
    monkeypatch.setattr(sys, "argv", ["novaact-http", "list-sessions", *naming(world.runs[0]), *form])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == f"novaact-http needs {missing}: install it with pip install 'novaact-http[cli]'"
    assert not world.requests


def test_an_interruption_during_the_imports_has_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_commands, "commands", raising(KeyboardInterrupt()))
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 130


def test_any_other_missing_module_raises_its_own_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "novaact_http.cli._commands")
    monkeypatch.delattr(cli, "_commands", raising=False)
    monkeypatch.setitem(sys.modules, "novaact_http.cli._local_service", None)
    with pytest.raises(ModuleNotFoundError):
        cli.main()


def test_the_entry_point_runs_the_commands(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["novaact-http", "--version"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 0
    assert "novaact-http, version" in capsys.readouterr().out


def test_starting_does_not_load_heavy_packages() -> None:
    loaded = loaded_after("from novaact_http.cli import _commands")
    assert "click" in loaded
    assert not loaded & {"attr", "botocore", "httpx", "rich", "jmespath"}
