"""The methods of `AsyncClient`, which `make twins` writes from `methods.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeVar

from novaact_http import _operations as operations
from novaact_http._call.parameters import SensitiveArguments
from novaact_http.config import Poll

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from novaact_http._call.flow import MakeFlow, call
    from novaact_http._clients.pagers import AsyncPager
    from novaact_http._operations.act_steps import CallResult, InvokeActStepResponse
    from novaact_http._operations.acts import (
        ActError,
        ActStatus,
        ActSummary,
        CreateActResponse,
        ListActsResponse,
        ToolSpec,
        UpdateActResponse,
    )
    from novaact_http._operations.common import SortOrder
    from novaact_http._operations.foundation_models import ListModelsResponse
    from novaact_http._operations.sessions import CreateSessionResponse, ListSessionsResponse, SessionSummary
    from novaact_http._operations.shapes import Operation, Output
    from novaact_http._operations.workflow_definitions import (
        CreateWorkflowDefinitionResponse,
        DeleteWorkflowDefinitionResponse,
        GetWorkflowDefinitionResponse,
        ListWorkflowDefinitionsResponse,
        WorkflowDefinitionSummary,
        WorkflowExportConfig,
    )
    from novaact_http._operations.workflow_runs import (
        ClientInfo,
        CreateWorkflowRunResponse,
        DeleteWorkflowRunResponse,
        GetWorkflowRunResponse,
        ListWorkflowRunsResponse,
        UpdateWorkflowRunResponse,
        WorkflowRunStatus,
        WorkflowRunSummary,
    )

OutputT = TypeVar("OutputT", bound="Output")

_POLL = Poll()


class AsyncMethods:
    """The methods, for a client that has `_call`."""

    if TYPE_CHECKING:

        async def _call(
            self, operation: Operation[OutputT], arguments: dict[str, Any], make_flow: MakeFlow[OutputT] = call
        ) -> OutputT: ...

    async def create_workflow_definition(
        self,
        *,
        name: str,
        description: str | None = None,
        export_config: WorkflowExportConfig | None = None,
        client_token: str | None = None,
    ) -> CreateWorkflowDefinitionResponse:
        """Create a workflow definition.

        Args:
            name: the name, unique in the account: letters, digits, `_` and `-`, at most 40.
            description: what the workflow does. By default nothing.
            export_config: where the service exports what the workflow does. By default nowhere.
            client_token: by it the service knows a repeated call again, and does nothing twice: 33 to 256 letters,
                digits and hyphens. By default a new UUID, which stays the same for all attempts of the call. An error
                has it as `client_token`, to make the call again.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of a created workflow definition.
            TransportError: there was no response.
        """
        arguments = SensitiveArguments(
            {
                "name": name,
                "description": description,
                "export_config": export_config,
                "client_token": client_token,
            }
        )
        del description  # no traceback shall show it
        return await self._call(operations.CREATE_WORKFLOW_DEFINITION, arguments)

    async def get_workflow_definition(
        self,
        *,
        workflow_definition_name: str,
    ) -> GetWorkflowDefinitionResponse:
        """Get a workflow definition.

        Args:
            workflow_definition_name: the workflow definition's name.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no workflow definition.
            TransportError: there was no response.
        """
        arguments = {"workflow_definition_name": workflow_definition_name}
        return await self._call(operations.GET_WORKFLOW_DEFINITION, arguments)

    async def ensure_workflow_definition(
        self,
        *,
        name: str,
        description: str | None = None,
        export_config: WorkflowExportConfig | None = None,
    ) -> GetWorkflowDefinitionResponse:
        """Get a workflow definition, and create it before if there is none.

        Programs may do that at the same time: one creates it, and all get it. A definition that is there already stays
        as it is, also if its description differs. `Timeout.total` limits all of it together.

        Args:
            name: the name, unique in the account: letters, digits, `_` and `-`, at most 40.
            description: what the workflow does, if it is created. By default nothing.
            export_config: where the service exports what the workflow does, if it is created. By default nowhere.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: a response is not that of a workflow definition.
            TransportError: there was no response.
        """
        from novaact_http._call.waiting import ensure_workflow_definition  # many programs never do

        arguments = SensitiveArguments({"name": name, "description": description, "export_config": export_config})
        del description  # no traceback shall show it
        return await self._call(operations.GET_WORKFLOW_DEFINITION, arguments, ensure_workflow_definition)

    async def delete_workflow_definition(
        self,
        *,
        workflow_definition_name: str,
    ) -> DeleteWorkflowDefinitionResponse:
        """Delete a workflow definition.

        It is gone a little later.

        Args:
            workflow_definition_name: the workflow definition's name.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of a deletion.
            TransportError: there was no response.
        """
        arguments = {"workflow_definition_name": workflow_definition_name}
        return await self._call(operations.DELETE_WORKFLOW_DEFINITION, arguments)

    async def list_workflow_definitions(
        self,
        *,
        max_results: int | None = None,
        next_token: str | None = None,
        sort_order: SortOrder | Literal["Ascending", "Descending"] | None = None,
    ) -> ListWorkflowDefinitionsResponse:
        """List one page of the account's workflow definitions.

        Args:
            max_results: the most workflow definitions to return, from 1; the service allows up to 100. By default the
                service decides.
            next_token: the `next_token` of the previous page. By default the first page is returned.
            sort_order: the order by time of creation. By default the service decides.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no page of workflow definitions.
            TransportError: there was no response.
        """
        arguments = {
            "max_results": max_results,
            "next_token": next_token,
            "sort_order": sort_order,
        }
        return await self._call(operations.LIST_WORKFLOW_DEFINITIONS, arguments)

    def iter_workflow_definitions(
        self,
        *,
        sort_order: SortOrder | Literal["Ascending", "Descending"] | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        starting_token: str | None = None,
        prefetch: bool = False,
        total: float | None = None,
    ) -> AsyncPager[ListWorkflowDefinitionsResponse, WorkflowDefinitionSummary]:
        """List all workflow definitions of the account with `async for`.

        Each page is fetched when its first definition is needed.

        Args:
            sort_order: as for `list_workflow_definitions`.
            page_size: the most workflow definitions that each call asks for. By default the service decides.
            max_items: the most workflow definitions to list; 0 lists none and sends nothing. By default all are listed.
            starting_token: where to start: the `resume_token` of a pager or of a boto3 paginator, or a `next_token`.
            prefetch: whether to fetch the next page while you work on the current one. If you stop early, that is one
                page more than needed. Close the iterator then, with
                `async with contextlib.aclosing(aiter(pager)) as items`, or the event loop cleans up its task later.
            total: how many seconds the whole listing may take, from its first page on. Then `DeadlineExceeded` is
                raised, and `resume_token` goes on from there. By default only the calls are limited.

        Raises:
            ParameterError: bad arguments; it names all of them. Iterating raises what `list_workflow_definitions`
                raises, and `PaginationError` if the service repeats a token.
        """
        from novaact_http._clients.pagers import AsyncPager, Options  # many programs never list

        arguments = {
            "sort_order": sort_order,
        }
        options = Options(page_size=page_size, max_items=max_items, starting_token=starting_token, total=total)
        return AsyncPager(self._call, operations.LIST_WORKFLOW_DEFINITIONS, arguments, options, prefetch=prefetch)

    async def create_workflow_run(
        self,
        *,
        workflow_definition_name: str,
        model_id: str,
        client_info: ClientInfo,
        client_token: str | None = None,
        log_group_name: str | None = None,
    ) -> CreateWorkflowRunResponse:
        """Create a workflow run.

        It runs until `update_workflow_run` ends it.

        Args:
            workflow_definition_name: the workflow definition's name.
            model_id: the id or alias of the model to use. See `list_models`.
            client_info: the program that runs the workflow.
            client_token: by it the service knows a repeated call again, and does nothing twice: 33 to 256 letters,
                digits and hyphens. By default a new UUID, which stays the same for all attempts of the call. An error
                has it as `client_token`, to make the call again.
            log_group_name: the CloudWatch log group to write to. By default none.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of a created workflow run.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "model_id": model_id,
            "client_info": client_info,
            "client_token": client_token,
            "log_group_name": log_group_name,
        }
        return await self._call(operations.CREATE_WORKFLOW_RUN, arguments)

    async def get_workflow_run(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
    ) -> GetWorkflowRunResponse:
        """Get a workflow run.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no workflow run.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
        }
        return await self._call(operations.GET_WORKFLOW_RUN, arguments)

    async def wait_for_workflow_run(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        until: Iterable[WorkflowRunStatus | Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "DELETING"]]
        | None = None,
        total: float | None = None,
        poll: Poll = _POLL,
    ) -> GetWorkflowRunResponse:
        """Get a workflow run again and again until it has ended, and return it.

        A run that failed is returned, not raised: look at its `status`. Failures that a retry policy calls retryable,
        such as throttling or an outage of the network, are survived while there is time, also with retries turned off.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            until: the statuses to wait for. By default all but `"RUNNING"`. A run that ends with another one is waited
                for all the same, until `total` is over.
            total: how many seconds to wait at most. By default there is no limit, not even `Timeout.total`, which then
                limits each request.
            poll: how often to ask. By default `Poll()`.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            DeadlineExceeded: the run was not done in time. The error names the last status.
            ResourceNotFoundException: there is no such run, or it is gone.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error that would come again.
            TransportError: the server's certificate was refused.
        """
        from novaact_http._call.waiting import wait_for_workflow_run  # many programs never wait

        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "until": until,
            "total": total,
            "poll": poll,
        }
        return await self._call(operations.GET_WORKFLOW_RUN, arguments, wait_for_workflow_run)

    async def update_workflow_run(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        status: WorkflowRunStatus | Literal["RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "DELETING"],
    ) -> UpdateWorkflowRunResponse:
        """Set the status of a workflow run, to end it.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            status: the new status, such as `"SUCCEEDED"`.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of an update.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "status": status,
        }
        return await self._call(operations.UPDATE_WORKFLOW_RUN, arguments)

    async def delete_workflow_run(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
    ) -> DeleteWorkflowRunResponse:
        """Delete a workflow run.

        It is gone a little later.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of a deletion.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
        }
        return await self._call(operations.DELETE_WORKFLOW_RUN, arguments)

    async def list_workflow_runs(
        self,
        *,
        workflow_definition_name: str,
        max_results: int | None = None,
        next_token: str | None = None,
        sort_order: SortOrder | Literal["Ascending", "Descending"] | None = None,
    ) -> ListWorkflowRunsResponse:
        """List one page of a workflow definition's runs.

        Args:
            workflow_definition_name: the workflow definition's name.
            max_results: the most runs to return, from 1; the service allows up to 100. By default the service decides.
            next_token: the `next_token` of the previous page. By default the first page is returned.
            sort_order: the order by time of creation. By default the service decides.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no page of workflow runs.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "max_results": max_results,
            "next_token": next_token,
            "sort_order": sort_order,
        }
        return await self._call(operations.LIST_WORKFLOW_RUNS, arguments)

    def iter_workflow_runs(
        self,
        *,
        workflow_definition_name: str,
        sort_order: SortOrder | Literal["Ascending", "Descending"] | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        starting_token: str | None = None,
        prefetch: bool = False,
        total: float | None = None,
    ) -> AsyncPager[ListWorkflowRunsResponse, WorkflowRunSummary]:
        """List all runs of a workflow definition with `async for`.

        Each page is fetched when its first run is needed.

        Args:
            workflow_definition_name: the workflow definition's name.
            sort_order: as for `list_workflow_runs`.
            page_size: the most runs that each call asks for. By default the service decides.
            max_items: the most runs to list; 0 lists none and sends nothing. By default all are listed.
            starting_token: where to start: the `resume_token` of a pager or of a boto3 paginator, or a `next_token`.
            prefetch: whether to fetch the next page while you work on the current one. If you stop early, that is one
                page more than needed. Close the iterator then, with
                `async with contextlib.aclosing(aiter(pager)) as items`, or the event loop cleans up its task later.
            total: how many seconds the whole listing may take, from its first page on. Then `DeadlineExceeded` is
                raised, and `resume_token` goes on from there. By default only the calls are limited.

        Raises:
            ParameterError: bad arguments; it names all of them. Iterating raises what `list_workflow_runs` raises, and
                `PaginationError` if the service repeats a token.
        """
        from novaact_http._clients.pagers import AsyncPager, Options  # many programs never list

        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "sort_order": sort_order,
        }
        options = Options(page_size=page_size, max_items=max_items, starting_token=starting_token, total=total)
        return AsyncPager(self._call, operations.LIST_WORKFLOW_RUNS, arguments, options, prefetch=prefetch)

    async def create_session(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        client_token: str | None = None,
    ) -> CreateSessionResponse:
        """Create a session in a workflow run.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            client_token: by it the service knows a repeated call again, and does nothing twice: 33 to 256 letters,
                digits and hyphens. By default a new UUID, which stays the same for all attempts of the call. An error
                has it as `client_token`, to make the call again.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of a created session.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "client_token": client_token,
        }
        return await self._call(operations.CREATE_SESSION, arguments)

    async def list_sessions(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        max_results: int | None = None,
        next_token: str | None = None,
        sort_order: SortOrder | str | None = None,
    ) -> ListSessionsResponse:
        """List one page of a workflow run's sessions.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            max_results: the most sessions to return, from 1; the service allows up to 100. By default the service
                decides.
            next_token: the `next_token` of the previous page. By default the first page is returned.
            sort_order: the order by time of creation. By default the service decides.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not a page of sessions.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "max_results": max_results,
            "next_token": next_token,
            "sort_order": sort_order,
        }
        return await self._call(operations.LIST_SESSIONS, arguments)

    def iter_sessions(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        sort_order: SortOrder | str | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        starting_token: str | None = None,
        prefetch: bool = False,
        total: float | None = None,
    ) -> AsyncPager[ListSessionsResponse, SessionSummary]:
        """List all sessions of a workflow run with `async for`.

        Each page is fetched when its first session is needed.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            sort_order: as for `list_sessions`.
            page_size: the most sessions that each call asks for. By default the service decides.
            max_items: the most sessions to list; 0 lists none and sends nothing. By default all are listed.
            starting_token: where to start: the `resume_token` of a pager or of a boto3 paginator, or a `next_token`.
            prefetch: whether to fetch the next page while you work on the current one. If you stop early, that is one
                page more than needed. Close the iterator then, with
                `async with contextlib.aclosing(aiter(pager)) as items`, or the event loop cleans up its task later.
            total: how many seconds the whole listing may take, from its first page on. Then `DeadlineExceeded` is
                raised, and `resume_token` goes on from there. By default only the calls are limited.

        Raises:
            ParameterError: bad arguments; it names all of them. Iterating raises what `list_sessions` raises, and
                `PaginationError` if the service repeats a token.
        """
        from novaact_http._clients.pagers import AsyncPager, Options  # many programs never list

        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "sort_order": sort_order,
        }
        options = Options(page_size=page_size, max_items=max_items, starting_token=starting_token, total=total)
        return AsyncPager(self._call, operations.LIST_SESSIONS, arguments, options, prefetch=prefetch)

    async def create_act(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        session_id: str,
        task: str,
        tool_specs: Sequence[ToolSpec] | None = None,
        client_token: str | None = None,
    ) -> CreateActResponse:
        """Create an act in a session.

        Drive it with `invoke_act_step`.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            session_id: the session's id, a UUID.
            task: what to do, in words.
            tool_specs: tools of yours that the act may call. By default none.
            client_token: by it the service knows a repeated call again, and does nothing twice: 33 to 256 letters,
                digits and hyphens. By default a new UUID, which stays the same for all attempts of the call. An error
                has it as `client_token`, to make the call again.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of a created act.
            TransportError: there was no response.
        """
        arguments = SensitiveArguments(
            {
                "workflow_definition_name": workflow_definition_name,
                "workflow_run_id": workflow_run_id,
                "session_id": session_id,
                "task": task,
                "tool_specs": tool_specs,
                "client_token": client_token,
            }
        )
        del task, tool_specs  # no traceback shall show them
        return await self._call(operations.CREATE_ACT, arguments)

    async def update_act(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        session_id: str,
        act_id: str,
        status: ActStatus
        | Literal["RUNNING", "PENDING_CLIENT_ACTION", "PENDING_HUMAN_ACTION", "SUCCEEDED", "FAILED", "TIMED_OUT"],
        error: ActError | None = None,
    ) -> UpdateActResponse:
        """Set the status of an act, to end it.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            session_id: the session's id, a UUID.
            act_id: the act's id, a UUID.
            status: the new status.
            error: why the act failed. By default nothing.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is not that of an update.
            TransportError: there was no response.
        """
        arguments = SensitiveArguments(
            {
                "workflow_definition_name": workflow_definition_name,
                "workflow_run_id": workflow_run_id,
                "session_id": session_id,
                "act_id": act_id,
                "status": status,
                "error": error,
            }
        )
        del error  # no traceback shall show it
        return await self._call(operations.UPDATE_ACT, arguments)

    async def list_acts(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str | None = None,
        session_id: str | None = None,
        max_results: int | None = None,
        next_token: str | None = None,
        sort_order: SortOrder | Literal["Ascending", "Descending"] | None = None,
    ) -> ListActsResponse:
        """List one page of the acts of a workflow definition, run or session.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: list only the acts of this workflow run. By default of all.
            session_id: list only the acts of this session. By default of all.
            max_results: the most acts to return, from 1; the service allows up to 100. By default the service decides.
            next_token: the `next_token` of the previous page. By default the first page is returned.
            sort_order: the order by time of creation. By default the service decides.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no page of acts.
            TransportError: there was no response.
        """
        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "session_id": session_id,
            "max_results": max_results,
            "next_token": next_token,
            "sort_order": sort_order,
        }
        return await self._call(operations.LIST_ACTS, arguments)

    def iter_acts(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str | None = None,
        session_id: str | None = None,
        sort_order: SortOrder | Literal["Ascending", "Descending"] | None = None,
        page_size: int | None = None,
        max_items: int | None = None,
        starting_token: str | None = None,
        prefetch: bool = False,
        total: float | None = None,
    ) -> AsyncPager[ListActsResponse, ActSummary]:
        """List all acts of a workflow definition, run or session with `async for`.

        Each page is fetched when its first act is needed.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: list only the acts of this workflow run. By default of all.
            session_id: list only the acts of this session. By default of all.
            sort_order: as for `list_acts`.
            page_size: the most acts that each call asks for. By default the service decides.
            max_items: the most acts to list; 0 lists none and sends nothing. By default all are listed.
            starting_token: where to start: the `resume_token` of a pager or of a boto3 paginator, or a `next_token`.
            prefetch: whether to fetch the next page while you work on the current one. If you stop early, that is one
                page more than needed. Close the iterator then, with
                `async with contextlib.aclosing(aiter(pager)) as items`, or the event loop cleans up its task later.
            total: how many seconds the whole listing may take, from its first page on. Then `DeadlineExceeded` is
                raised, and `resume_token` goes on from there. By default only the calls are limited.

        Raises:
            ParameterError: bad arguments; it names all of them. Iterating raises what `list_acts` raises, and
                `PaginationError` if the service repeats a token.
        """
        from novaact_http._clients.pagers import AsyncPager, Options  # many programs never list

        arguments = {
            "workflow_definition_name": workflow_definition_name,
            "workflow_run_id": workflow_run_id,
            "session_id": session_id,
            "sort_order": sort_order,
        }
        options = Options(page_size=page_size, max_items=max_items, starting_token=starting_token, total=total)
        return AsyncPager(self._call, operations.LIST_ACTS, arguments, options, prefetch=prefetch)

    async def invoke_act_step(
        self,
        *,
        workflow_definition_name: str,
        workflow_run_id: str,
        session_id: str,
        act_id: str,
        call_results: Sequence[CallResult],
        previous_step_id: str | None = None,
    ) -> InvokeActStepResponse:
        """Do one step of an act: send what the last calls returned, and get the next calls to make.

        The step is not sent again where the service may have carried it out: after an answer that was lost, late or
        broken, or after an internal error with a reason. The error then says so. It is sent again after throttling, and
        where it was certainly not sent.

        Args:
            workflow_definition_name: the workflow definition's name.
            workflow_run_id: the workflow run's id, a UUID.
            session_id: the session's id, a UUID.
            act_id: the act's id, a UUID.
            call_results: what the calls of the previous step returned, at least one. In the first step, which follows
                no call, something to begin with, such as what the page shows.
            previous_step_id: the `step_id` of the previous step. Left out in the first step.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no step.
            TransportError: there was no response.
        """
        arguments = SensitiveArguments(
            {
                "workflow_definition_name": workflow_definition_name,
                "workflow_run_id": workflow_run_id,
                "session_id": session_id,
                "act_id": act_id,
                "call_results": call_results,
                "previous_step_id": previous_step_id,
            }
        )
        del call_results  # no traceback shall show it
        return await self._call(operations.INVOKE_ACT_STEP, arguments)

    async def list_models(
        self,
        *,
        client_compatibility_version: int,
    ) -> ListModelsResponse:
        """List the models that workflows can use.

        Args:
            client_compatibility_version: the compatibility version to ask about.

        Raises:
            ParameterError: bad arguments; it names all of them, and nothing was sent.
            CredentialsError: there are no credentials.
            ServiceError: the service returned an error. There is a subclass for each documented code.
            ResponseError: the response is no list of models.
            TransportError: there was no response.
        """
        arguments = {
            "client_compatibility_version": client_compatibility_version,
        }
        return await self._call(operations.LIST_MODELS, arguments)
