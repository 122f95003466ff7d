"""The foundation models that workflows can use: the models of them, and the operation that lists them."""

from __future__ import annotations

from novaact_http._operations.common import ResponseMetadata, StringEnum
from novaact_http._operations.service_errors import OF_ALL
from novaact_http._operations.shapes import INTEGER, STRING, Enumeration, ListOf, Operation, query, structure
from novaact_http._support.late_attrs import ValueObject, field, frozen


class ModelStatus(StringEnum):
    """Where a model is in its life."""

    ACTIVE = "ACTIVE"
    LEGACY = "LEGACY"
    DEPRECATED = "DEPRECATED"
    PREVIEW = "PREVIEW"


@frozen(kw_only=True, eq=False, repr=False)
class ModelLifecycle(ValueObject):
    """Where a model is in its life.

    Attributes:
        status: its status; a plain str if this library does not know it.
    """

    status: ModelStatus | str


@frozen(kw_only=True, eq=False, repr=False)
class ModelSummary(ValueObject):
    """One model.

    Attributes:
        model_id: its id.
        model_lifecycle: where it is in its life.
        minimum_compatibility_version: the lowest compatibility version of a client that can use it.
    """

    model_id: str
    model_lifecycle: ModelLifecycle
    minimum_compatibility_version: int


@frozen(kw_only=True, eq=False, repr=False)
class ModelAlias(ValueObject):
    """Another name of a model.

    Attributes:
        alias_name: the alias.
        latest_model_id: the id of the latest model that it stands for.
        resolved_model_id: the id of the model that it stands for with the given compatibility version; None if there
            is none.
    """

    alias_name: str
    latest_model_id: str
    resolved_model_id: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class CompatibilityInformation(ValueObject):
    """What a client with a compatibility version can use.

    Attributes:
        client_compatibility_version: the compatibility version that was asked about.
        supported_model_ids: the ids of the models that it can use.
        message: what else there is to know; None if there is nothing.
    """

    client_compatibility_version: int
    supported_model_ids: tuple[str, ...]
    message: str | None = None


@frozen(kw_only=True, eq=False, repr=False)
class ListModelsResponse(ValueObject):
    """The models.

    Attributes:
        model_summaries: the models.
        model_aliases: other names of models.
        compatibility_information: what a client with the given compatibility version can use.
        metadata: request id, status, headers and attempts; not part of equality or hash.
    """

    model_summaries: tuple[ModelSummary, ...]
    model_aliases: tuple[ModelAlias, ...]
    compatibility_information: CompatibilityInformation
    metadata: ResponseMetadata = field(eq=False, repr=False)


LIST_MODELS = Operation(
    name="ListModels",
    http="POST /models",
    inputs=(query("client_compatibility_version", INTEGER, required=True),),
    output=structure(
        ListModelsResponse,
        model_summaries=ListOf(
            structure(
                ModelSummary,
                model_lifecycle=structure(ModelLifecycle, status=Enumeration(ModelStatus)),
                minimum_compatibility_version=INTEGER,
            )
        ),
        model_aliases=ListOf(structure(ModelAlias)),
        compatibility_information=structure(
            CompatibilityInformation, client_compatibility_version=INTEGER, supported_model_ids=ListOf(STRING)
        ),
    ),
    errors=OF_ALL,
)
