"""Where the service stores the trace of a run or an act."""

from __future__ import annotations

from novaact_http._operations.common import StringEnum
from novaact_http._operations.shapes import Enumeration, structure
from novaact_http._support.late_attrs import ValueObject, frozen


class TraceLocationType(StringEnum):
    """The kind of place that a trace is in."""

    S3 = "S3"


@frozen(kw_only=True, eq=False, repr=False)
class TraceLocation(ValueObject):
    """Where a trace is.

    Attributes:
        location_type: the kind of place; a plain str if this library does not know it.
        location: the place, for example the URI of an S3 object.
    """

    location_type: TraceLocationType | str
    location: str


TRACE_LOCATION = structure(TraceLocation, location_type=Enumeration(TraceLocationType))
