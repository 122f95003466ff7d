"""What Nova Act offers: its operations as values, the models that they take and return, and its errors. No logic.

An operation is loaded with its models when it is first used here.
"""

from typing import TYPE_CHECKING

from novaact_http._support import lazy_imports

if TYPE_CHECKING:
    from novaact_http._operations.act_steps import INVOKE_ACT_STEP
    from novaact_http._operations.acts import CREATE_ACT, LIST_ACTS, UPDATE_ACT
    from novaact_http._operations.foundation_models import LIST_MODELS
    from novaact_http._operations.sessions import CREATE_SESSION, LIST_SESSIONS
    from novaact_http._operations.workflow_definitions import (
        CREATE_WORKFLOW_DEFINITION,
        DELETE_WORKFLOW_DEFINITION,
        GET_WORKFLOW_DEFINITION,
        LIST_WORKFLOW_DEFINITIONS,
    )
    from novaact_http._operations.workflow_runs import (
        CREATE_WORKFLOW_RUN,
        DELETE_WORKFLOW_RUN,
        GET_WORKFLOW_RUN,
        LIST_WORKFLOW_RUNS,
        UPDATE_WORKFLOW_RUN,
    )
else:
    __getattr__, __dir__ = lazy_imports.names(
        globals(),
        {
            "act_steps": ("INVOKE_ACT_STEP",),
            "acts": ("CREATE_ACT", "LIST_ACTS", "UPDATE_ACT"),
            "foundation_models": ("LIST_MODELS",),
            "sessions": ("CREATE_SESSION", "LIST_SESSIONS"),
            "workflow_definitions": (
                "CREATE_WORKFLOW_DEFINITION",
                "DELETE_WORKFLOW_DEFINITION",
                "GET_WORKFLOW_DEFINITION",
                "LIST_WORKFLOW_DEFINITIONS",
            ),
            "workflow_runs": (
                "CREATE_WORKFLOW_RUN",
                "DELETE_WORKFLOW_RUN",
                "GET_WORKFLOW_RUN",
                "LIST_WORKFLOW_RUNS",
                "UPDATE_WORKFLOW_RUN",
            ),
        },
    )

__all__ = [
    "CREATE_ACT",
    "CREATE_SESSION",
    "CREATE_WORKFLOW_DEFINITION",
    "CREATE_WORKFLOW_RUN",
    "DELETE_WORKFLOW_DEFINITION",
    "DELETE_WORKFLOW_RUN",
    "GET_WORKFLOW_DEFINITION",
    "GET_WORKFLOW_RUN",
    "INVOKE_ACT_STEP",
    "LIST_ACTS",
    "LIST_MODELS",
    "LIST_SESSIONS",
    "LIST_WORKFLOW_DEFINITIONS",
    "LIST_WORKFLOW_RUNS",
    "UPDATE_ACT",
    "UPDATE_WORKFLOW_RUN",
]
