"""Runs a workflow in the local service and lists sessions, over real HTTP, with signatures that botocore checks.

`make demo` runs it.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import textwrap
from typing import Any

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table

from novaact_http import AsyncClient, Client, errors, models
from novaact_http.config import Poll
from novaact_http.testing import LocalService, WorkflowRun

console = Console(highlight=False)


def list_all(name: str, run_id: str) -> None:
    with Client() as client:
        for session in client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id):
            print(session.session_id)


def step(text: str) -> None:
    """Print the title of the next step."""
    say(f"\n[bold cyan]==[/] [bold]{text}[/]")


def say(text: str) -> None:
    """Print a line without wrapping it."""
    console.print(text, soft_wrap=True)


def one_signed_call(client: Client, service: LocalService, run: WorkflowRun) -> None:
    """Make one call, and show the request that it sent."""
    page = client.list_sessions(
        workflow_definition_name=run.workflow_definition_name, workflow_run_id=run.workflow_run_id, max_results=10
    )
    request = service.requests[-1]
    say(f"{request.method} {request.target}")
    for name, value in request.headers:
        shown, secret, _ = value.partition("Signature=")
        say(f"  [dim]{name}:[/] {shown}{secret}{'…' if secret else ''}")
    table = Table("#", "Session ID", title=f"{run.workflow_definition_name}, page 1")
    for number, session in enumerate(page.session_summaries, start=1):
        table.add_row(str(number), session.session_id)
    console.print(table)
    say(f"status {page.metadata.status_code}, request id {page.metadata.request_id}")


def all_pages(client: Client, run: WorkflowRun) -> None:
    """List page by page. Each page is fetched when the loop needs it."""
    pager = client.iter_sessions(
        workflow_definition_name=run.workflow_definition_name, workflow_run_id=run.workflow_run_id, page_size=10
    )
    for number, page in enumerate(pager.pages(), start=1):
        say(f"page {number}: {len(page.session_summaries)} sessions")


async def all_pages_async(run: WorkflowRun) -> None:
    """List session by session on asyncio: stop after some, and resume."""
    name, run_id = run.workflow_definition_name, run.workflow_run_id
    async with AsyncClient() as client:
        first = client.iter_sessions(workflow_definition_name=name, workflow_run_id=run_id, page_size=10, max_items=15)
        count = len([session async for session in first])
        say(f"the first {count}, stopped by max_items; resume_token {first.resume_token}")
        rest = client.iter_sessions(
            workflow_definition_name=name, workflow_run_id=run_id, page_size=10, starting_token=first.resume_token
        )
        say(f"resumed from there: the other {len([session async for session in rest])}")


def a_workflow(client: Client, service: LocalService) -> None:
    """Drive a workflow from its definition to its end. Two faults on the way are survived."""
    definition = client.ensure_workflow_definition(name="shop", description="Buys what is on the list.")
    say(f"definition {definition.name}: {definition.status}")
    service.script_runs("SUCCEEDED", polls=3)
    service.inject("reset", times=1, operation="CreateWorkflowRun", after_work=True)
    created = client.create_workflow_run(
        workflow_definition_name="shop",
        model_id="nova-act-latest",
        client_info=models.ClientInfo(compatibility_version=1),
    )
    run: dict[str, Any] = {"workflow_definition_name": "shop", "workflow_run_id": created.workflow_run_id}
    say(f"run {created.workflow_run_id}: {created.status}")
    runs = client.list_workflow_runs(workflow_definition_name="shop").workflow_run_summaries
    sent = [call for call in service.calls if call.operation == "CreateWorkflowRun"]
    say(f"  [green]the first answer was lost, so it was sent {len(sent)} times, and there is {len(runs)} run[/]")
    session_id = client.create_session(**run).session_id
    say(f"session {session_id}")
    an_act(client, service, {**run, "session_id": session_id})
    service.inject("ThrottlingException", times=1, operation="GetWorkflowRun")
    ended = client.wait_for_workflow_run(**run, poll=Poll(initial=0.1))
    asked = [call.error_code or "RUNNING" for call in service.calls if call.operation == "GetWorkflowRun"]
    say(f"waited for the run: {', '.join(asked[:-1])}, [green]{ended.status}[/]")


def an_act(client: Client, service: LocalService, session: dict[str, Any]) -> None:
    """Do what the service asks for, until it asks for nothing more."""
    service.script_acts([[{"name": "goToUrl", "input": ["https://example.com/"]}], [{"name": "takeObservation"}]])
    act_id = client.create_act(**session, task="Buy a blue bicycle.").act_id
    said, step_id = "begin", None
    while True:
        step = client.invoke_act_step(
            **session,
            act_id=act_id,
            call_results=[models.CallResult(content=[models.CallResultContent(text=said)])],
            previous_step_id=step_id,
        )
        if not step.calls:
            break
        said, step_id = "done", step.step_id
        say(f"  step {step_id}: {', '.join(f'{call.name}({call.input})' for call in step.calls)}")
    (act,) = client.iter_acts(**session)
    say(f"act {act.act_id}: [green]{act.status}[/]")


def an_error(client: Client, run: WorkflowRun) -> None:
    """Show an error of the service model."""
    try:
        client.list_sessions(
            workflow_definition_name=run.workflow_definition_name,
            workflow_run_id="00000000-0000-4000-8000-000000000000",
        )
    except errors.ResourceNotFoundException as error:
        say(f"[red]{type(error).__name__}[/]: {error}")
        say(f"error.resource_type = {error.resource_type!r}, error.resource_id = {error.resource_id!r}")


def main() -> None:
    """Run the steps."""
    with LocalService() as service:
        step(f"The local service is running at {service.url} and checks every signature")
        os.environ.update(service.environ)
        run = service.runs[0]
        with Client() as client:
            step("One signed call")
            one_signed_call(client, service, run)
            step("A workflow, from its definition to its end, with two faults that are survived")
            a_workflow(client, service)
            step("All pages, with Client")
            all_pages(client, run)
            step("All pages, with AsyncClient")
            asyncio.run(all_pages_async(run))
            step("An error of the service model")
            an_error(client, run)
            step("The three lines that list all sessions")
            source = textwrap.dedent(inspect.getsource(list_all).partition("\n")[2])
            console.print(Syntax(source, "python", background_color="default", word_wrap=True))
            short = service.runs[1]
            list_all(short.workflow_definition_name, short.workflow_run_id)


if __name__ == "__main__":
    main()
