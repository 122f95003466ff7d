"""What a service answers: pages of sessions and other responses, as bytes, as our `Response`, and as httpx's."""

from __future__ import annotations

import json

import httpx

from novaact_http._call.http_messages import Response


def page_body(*session_ids: str, next_token: str | None = None) -> bytes:
    """Return the body of a page with these sessions."""
    body: dict[str, object] = {"sessionSummaries": [{"sessionId": each} for each in session_ids]}
    if next_token is not None:
        body["nextToken"] = next_token
    return json.dumps(body).encode()


def page(*session_ids: str, next_token: str | None = None) -> Response:
    """Return a page as the pools give it to a flow."""
    return Response(status=200, headers=(), body=page_body(*session_ids, next_token=next_token))


def response(status: int, body: object = b"", *, code: str = "", **headers: str) -> Response:
    """Return a response as the pools give it to a flow.

    Args:
        status: HTTP status.
        body: bytes, or a value that is encoded as JSON.
        code: the code of the error, which the service sends in a header; `""` for none.
        headers: more headers; `_` in a name stands for `-`.
    """
    fields = [("x-amzn-errortype", code)] if code else []
    fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(
        status=status, headers=tuple(fields), body=body if isinstance(body, bytes) else json.dumps(body).encode()
    )


def httpx_page(*session_ids: str, next_token: str | None = None, **headers: str) -> httpx.Response:
    """Return a page as an httpx transport gives it. `_` in the name of a header stands for `-`."""
    return httpx.Response(
        200,
        headers={"Content-Type": "application/json", **{name.replace("_", "-"): headers[name] for name in headers}},
        content=page_body(*session_ids, next_token=next_token),
    )
