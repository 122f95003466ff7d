"""What a Recorder writes has nothing of the account, wherever it came from and however it was spelt."""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from novaact_http import Client, ServiceError
from novaact_http.testing import Recorder, replay
from novaact_http.testing._scrubbing import _WORDS
from tests.helpers.calls import CALL, OPTIONS, TEMPORARY_KEYS

NAME, RUN, ACCOUNT = "Zuckerberg-Holding", "zzrun", "123451234512"
SECRETS = [TEMPORARY_KEYS.access_key_id, TEMPORARY_KEYS.secret_access_key, "IQoJ/Token+==", NAME, RUN, ACCOUNT]
MINE = f"arn:aws:sts::{ACCOUNT}:assumed-role/Zadmin/zalice@example.com may not, {' '.join(SECRETS)}"
PARTS = ["Zuckerberg", "Holding", "zzrun", ACCOUNT, "Zadmin", "zalice", "ASIAIOS", "XUtnFEMI", "IQoJ", "2345"]
BODIES = {
    "JSON": json.dumps({"message": MINE, NAME: 1, "n": int(ACCOUNT), "small": 7, "nextToken": RUN, "ok": True}),
    "escaped": json.dumps({"message": f"\n{MINE}"}).replace("=", "\\u003d").replace("/", "\\/"),
    "all escaped": '{"message": "' + "".join(f"\\u{ord(each):04x}" for each in MINE) + '"}',
    "cut off": json.dumps({"message": f"\n{MINE}\n{MINE}"})[:-30],
    "percent": quote(f"={MINE}", safe=""),
    "lower case": quote(f"={MINE}", safe="").replace("%2F", "%2f").replace("%3D", "%3d"),
    "HTML": f"<html><title>502 Bad Gateway</title>{MINE.replace('/', '&#47;')}</html>",
    "groups": "1234 5123 4512, 123-451-234-512, 2345",
    "deep": "[" * 100_000 + MINE,
    "list": json.dumps([[MINE], None]),
}


def recorded(folder: Path, body: str, endpoint: str = "http://127.0.0.1:9") -> str:
    """Record an exchange with a gateway that answers this, and return all that was written."""
    headers = {"Set-Cookie": MINE, "x-amzn-ErrorType": f"{NAME}:", "Retry-After": "0", "x-amzn-RequestId": RUN}
    transport = Recorder(folder, replay([httpx.Response(403, text=body, headers=headers)]))
    options = {**OPTIONS, "credentials": TEMPORARY_KEYS, "endpoint_url": endpoint, "transport": transport}
    with Client(**options) as client, pytest.raises(ServiceError):
        client.list_sessions(workflow_definition_name=NAME, workflow_run_id=RUN, next_token=ACCOUNT)
    with Client(**{**OPTIONS, "transport": replay(folder)}) as client, pytest.raises(ServiceError):
        client.list_sessions(**CALL, next_token="mine")
    return "".join(path.read_bytes().decode() for path in sorted(folder.iterdir()))


@pytest.mark.parametrize("body", BODIES)
def test_nothing_of_the_account_is_recorded(tmp_path: Path, body: str) -> None:
    text = recorded(tmp_path, BODIES[body])
    assert not [each for each in PARTS if each in text]
    assert "Set-Cookie" not in text
    assert " headers, which were left out" in text
    assert "Retry-After: 0" in text


@pytest.mark.parametrize(
    "endpoint",
    [f"http://127.0.0.1:9/{NAME}/{ACCOUNT}", f"http://127.0.0.1:9/a?key={ACCOUNT}&x={NAME}", f"https://{NAME}.test"],
)
def test_nothing_of_the_endpoint_is_recorded(tmp_path: Path, endpoint: str) -> None:
    text = recorded(tmp_path, "{}", endpoint)
    assert not [each for each in PARTS if each.lower() in text.lower()]
    path = "/workflow-definitions/example-definition-1/workflow-runs/example-run-1?nextToken=example-token-1"
    assert f"POST {path} HTTP/1.1" in text


def test_the_same_thing_is_made_up_as_the_same_other_thing(tmp_path: Path) -> None:
    text = recorded(tmp_path, json.dumps({"message": f"User {RUN} was not found", "resourceId": RUN, "n": [1.5, 7]}))
    assert '"User example-run-1 was not found", "resourceId": "example-run-1"' in text


def test_another_request_is_recorded_without_its_path(tmp_path: Path) -> None:
    with Recorder(tmp_path, replay([httpx.Response(299, content=b"\xff")])) as recorder:
        recorder.handle_request(httpx.Request("GET", f"http://h/{NAME}"))
    assert (tmp_path / "1.request.http").read_bytes().startswith(b"GET / HTTP/1.1\r\nHost: example.com\r\n")


pages = st.recursive(
    st.text() | st.integers() | st.floats() | st.none() | st.booleans(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.sampled_from(["message", "nextToken"]), inner),
)


@given(pages.map(lambda page: json.dumps(page, ensure_ascii=False)) | st.text(), st.integers(0, 100))
def test_every_word_of_a_recorded_page_is_on_the_list_or_made_up(page: str, cut: int) -> None:
    body = page.encode("utf-8", "replace")
    with tempfile.TemporaryDirectory() as folder:
        with Recorder(folder, replay([httpx.Response(502, content=body[: len(body) - cut])])) as recorder:
            recorder.handle_request(httpx.Request("GET", "http://h/"))
        written = (Path(folder) / "1.response.http").read_bytes().partition(b"\r\n\r\n")[2].decode("ascii")
    harmless = {"", *_WORDS, "x", "example", "member", "token", "true", "false", "null"}
    text = re.sub(r"\\\\|\\u[0-9a-f]{4}", " ", written.lower())
    for escape, word in re.findall(r"(\\?)([0-9a-z]+)", text):
        # After a backslash, the first letter belongs to an escape in JSON, but to the word in other text.
        readings = {word, word[1:]} if escape else {word}
        assert any(each in harmless or (each.isdecimal() and len(each) <= 3) for each in readings), word
