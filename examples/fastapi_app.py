"""A FastAPI service with one AsyncClient: a page of a run's sessions, or all sessions as a stream of JSON lines.

    AWS_REGION=us-east-1 python examples/fastapi_app.py --port 8000
    curl localhost:8000/workflow-definitions/checkout-flow/workflow-runs/62e6e282-e5c1-457c-b8c3-a967b36711eb/sessions

and `/sessions.jsonl` instead of `/sessions` for the stream. `uvicorn --app-dir examples fastapi_app:app` serves it too.
"""
# No `from __future__ import annotations`, because FastAPI evaluates annotations.

import argparse
import contextlib
import json
import logging
import math
from collections.abc import AsyncIterator
from typing import Annotated, TypedDict

import uvicorn
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import BaseModel

from novaact_http import AsyncClient, ListSessionsResponse, Timeout, errors

RUN = "/workflow-definitions/{name}/workflow-runs/{run_id}"

# The first match counts. A fault of this service is a 5xx, without details for the caller.
STATUSES: tuple[tuple[type[errors.NovaActError], int], ...] = (
    (errors.ParameterError, 400),
    (errors.ValidationException, 400),
    (errors.ResourceNotFoundException, 404),
    (errors.ThrottlingException, 503),
    (errors.TransportTimeout, 504),
    (errors.DeadlineExceeded, 504),
    (errors.ServiceError, 502),
    (errors.ResponseError, 502),
    (errors.TransportError, 502),
    (errors.NovaActError, 500),
)


class State(TypedDict):
    """The state of the application while it runs."""

    client: AsyncClient


class Page(BaseModel):
    """A page of sessions."""

    session_ids: list[str]
    next_token: str | None


@contextlib.asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[State]:
    async with AsyncClient(timeout=Timeout(total=10)) as client:
        yield {"client": client}


app = FastAPI(title="Sessions", lifespan=lifespan)


def get_client(request: Request) -> AsyncClient:
    client: AsyncClient = request.state.client
    return client


NovaAct = Annotated[AsyncClient, Depends(get_client)]


@app.exception_handler(errors.NovaActError)
async def error_response(_: Request, error: errors.NovaActError) -> Response:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers = {}
    if isinstance(error, errors.ServiceError) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    if status >= 500:
        logging.getLogger("sessions").error("%s", error)
    return JSONResponse(describe(error, status), status, headers)


def describe(error: errors.NovaActError, status: int) -> dict[str, str | None]:
    return {
        "error": error.code if isinstance(error, errors.ServiceError) else type(error).__name__,
        "message": str(error) if status < 500 else "The request to Nova Act failed.",
        "request_id": getattr(error, "request_id", None),
    }


@app.get(RUN + "/sessions")
async def one_page(
    client: NovaAct,
    name: str,
    run_id: str,
    max_results: Annotated[int, Query(ge=1, le=100)] = 100,
    next_token: Annotated[str | None, Query(min_length=1)] = None,
) -> Page:
    page = await client.list_sessions(
        workflow_definition_name=name, workflow_run_id=run_id, max_results=max_results, next_token=next_token
    )
    return Page(session_ids=[each.session_id for each in page.session_summaries], next_token=page.next_token or None)


@app.get(RUN + "/sessions.jsonl")
async def all_sessions(
    client: NovaAct, name: str, run_id: str, starting_token: Annotated[str | None, Query(min_length=1)] = None
) -> StreamingResponse:
    pager = client.iter_sessions(
        workflow_definition_name=name, workflow_run_id=run_id, starting_token=starting_token, prefetch=True
    )
    pages = pager.pages()
    first = await anext(pages)  # an error of the first page still sets the status

    async def json_lines() -> AsyncIterator[str]:
        yield to_json_lines(first)
        try:
            async for page in pages:
                yield to_json_lines(page)
        except errors.NovaActError as error:
            # The status is already sent. The last line has the error, and the token to resume from.
            yield json.dumps({**describe(error, 502), "resume_token": pager.resume_token}) + "\n"

    return StreamingResponse(json_lines(), media_type="application/jsonl")


def to_json_lines(page: ListSessionsResponse) -> str:
    return "".join(json.dumps({"session_id": each.session_id}) + "\n" for each in page.session_summaries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="(default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="(default: %(default)s)")
    options = parser.parse_args()
    uvicorn.run(app, host=options.host, port=options.port)


if __name__ == "__main__":
    main()
