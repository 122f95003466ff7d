"""A lean, typed, SigV4-signing HTTP client for Amazon Nova Act, synchronous and asynchronous.

For example:

    from novaact_http import Client

    with Client(region="us-east-1") as client:
        for session in client.iter_sessions(workflow_definition_name="checkout", workflow_run_id=run_id):
            print(session.session_id)

See the README for the rest.
"""

from typing import TYPE_CHECKING

from novaact_http._support import lazy_imports
from novaact_http._version import __version__

if TYPE_CHECKING:
    from novaact_http import errors
    from novaact_http._call.sigv4 import BotocoreSigner, Scope, Signer
    from novaact_http._clients.asynchronous import AsyncClient
    from novaact_http._clients.blocking import Client
    from novaact_http._clients.pagers import AsyncPager, Pager
    from novaact_http.attempts import Attempt, CallReport
    from novaact_http.config import Credentials, Poll, RetryPolicy, Timeout
    from novaact_http.errors import (
        AccessDeniedException,
        ConfigurationError,
        ConflictException,
        CredentialsError,
        DeadlineExceeded,
        InternalServerException,
        NovaActError,
        PaginationError,
        ParameterError,
        ResourceNotFoundException,
        ResponseError,
        ServiceError,
        ServiceQuotaExceededException,
        ThrottlingException,
        TransportError,
        TransportTimeout,
        ValidationException,
        ValidationExceptionField,
    )
    from novaact_http.models import ListSessionsResponse, ResponseMetadata, SessionSummary, SortOrder
    from novaact_http.transports import LeanAsyncTransport, LeanTransport
else:
    # Each name is imported when it is first used. So synchronous programs do not load asyncio, no program loads httpx
    # without need, and the pytest plugin costs nothing where it is not used.
    __getattr__, __dir__ = lazy_imports.names(
        globals(),
        {
            "_call.sigv4": ("BotocoreSigner", "Scope", "Signer"),
            "_clients.asynchronous": ("AsyncClient",),
            "attempts": ("Attempt", "CallReport"),
            "_clients.blocking": ("Client",),
            "config": ("Credentials", "Poll", "RetryPolicy", "Timeout"),
            "errors": (
                "errors",
                "AccessDeniedException",
                "ConfigurationError",
                "ConflictException",
                "CredentialsError",
                "DeadlineExceeded",
                "InternalServerException",
                "NovaActError",
                "PaginationError",
                "ParameterError",
                "ResourceNotFoundException",
                "ResponseError",
                "ServiceError",
                "ServiceQuotaExceededException",
                "ThrottlingException",
                "TransportError",
                "TransportTimeout",
                "ValidationException",
                "ValidationExceptionField",
            ),
            "models": ("ListSessionsResponse", "ResponseMetadata", "SessionSummary", "SortOrder"),
            "_clients.pagers": ("AsyncPager", "Pager"),
            "transports": ("LeanAsyncTransport", "LeanTransport"),
        },
    )

__all__ = [
    "AccessDeniedException",
    "AsyncClient",
    "AsyncPager",
    "Attempt",
    "BotocoreSigner",
    "CallReport",
    "Client",
    "ConfigurationError",
    "ConflictException",
    "Credentials",
    "CredentialsError",
    "DeadlineExceeded",
    "InternalServerException",
    "LeanAsyncTransport",
    "LeanTransport",
    "ListSessionsResponse",
    "NovaActError",
    "Pager",
    "PaginationError",
    "ParameterError",
    "Poll",
    "ResourceNotFoundException",
    "ResponseError",
    "ResponseMetadata",
    "RetryPolicy",
    "Scope",
    "ServiceError",
    "ServiceQuotaExceededException",
    "SessionSummary",
    "Signer",
    "SortOrder",
    "ThrottlingException",
    "Timeout",
    "TransportError",
    "TransportTimeout",
    "ValidationException",
    "ValidationExceptionField",
    "__version__",
    "errors",
]
