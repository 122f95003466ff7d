"""The client of `tree`, `watch` and `wait-for-workflow-run`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import novaact_http
from tests.helpers.command import run

if TYPE_CHECKING:
    from pathlib import Path

    from novaact_http.testing import LocalService

NAMED = ["--workflow-definition-name=flow", "--workflow-run-id=00000000-0000-4000-8000-000000000000"]


@pytest.mark.parametrize("command", [["tree"], ["watch", "--until-done"], ["wait-for-workflow-run", *NAMED]])
def test_it_has_the_options_of_the_connection_and_slows_down_when_throttled(
    command: list[str], bare_world: LocalService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[dict[str, Any]] = []
    client = novaact_http.AsyncClient

    def recorded(**options: Any) -> novaact_http.AsyncClient:
        made.append(options)
        return client(**options)

    monkeypatch.setattr(novaact_http, "AsyncClient", recorded)
    options = [
        "--region",
        "us-east-1",
        "--endpoint-url",
        "https://127.0.0.1:9",
        "--ca-bundle",
        str(tmp_path / "no.pem"),
    ]
    result = run(*command, *options)
    assert (result.exit_code, "--ca-bundle" in result.stderr) == (253, True)
    assert (made[0]["region"], made[0]["retries"].mode) == ("us-east-1", "adaptive")


def test_a_failed_connection_names_the_endpoint_and_where_it_came_from(bare_world: LocalService) -> None:
    url = bare_world.url
    with bare_world.refusing():
        result = run("tree", "--endpoint-url", url)
    assert (result.exit_code, f"the endpoint is {url} (from --endpoint-url)" in result.stderr) == (255, True)
