"""The values that the service takes and returns: frozen, slotted, picklable.

Names are AWS's in snake_case. Unknown members of a response are ignored. Each class is imported when it is first used.
"""

from typing import TYPE_CHECKING

from novaact_http._support import lazy_imports

if TYPE_CHECKING:
    from novaact_http._operations.common import ResponseMetadata, SortOrder
    from novaact_http._operations.sessions import ListSessionsResponse, SessionSummary
    from novaact_http.errors import ValidationExceptionField
else:
    __getattr__, __dir__ = lazy_imports.names(
        globals(),
        {
            "_operations.common": ("ResponseMetadata", "SortOrder"),
            "_operations.sessions": ("ListSessionsResponse", "SessionSummary"),
            "errors": ("ValidationExceptionField",),
        },
    )

__all__ = ["ListSessionsResponse", "ResponseMetadata", "SessionSummary", "SortOrder", "ValidationExceptionField"]
