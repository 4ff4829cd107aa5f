"""GET /api/v1/issuances and below."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from issuances.exporting.exports import FORMATS
from issuances.finding.filters import IssuanceFilter
from issuances.models import Issuance
from issuances.sealing.proofs import FORMAT as PROOF_FORMAT
from registry_token.api_issuances import DEFAULT_SIZE, MAX_SIZE
from registry_token.log_access import AUDIT_SCOPE, EXPORT_LOG, VIEW_LOG
from registry_token.openapi.parts import (
    BY_TOKEN_OR_SESSION,
    CHALLENGE,
    RETRY_AFTER,
    Described,
    answer_header,
    errors,
    operation,
    query,
)

_READ = f"Permission `{VIEW_LOG}` or OAuth scope `{AUDIT_SCOPE}`."
_EXPORT = f"Permission `{EXPORT_LOG}` or OAuth scope `{AUDIT_SCOPE}`."
_ID = {"type": "string", "format": "uuid"}
_NOTHING = {"type": "string", "maxLength": 0}  # as a form sends what is not filled in
_ID_OR_NOTHING = {"anyOf": [_ID, _NOTHING]}
_ANSWERS = errors(400, 401, 403, 414, 429, 431, 503)
_TIME = {"type": "string", "description": "A date or a time; UTC where it names no zone"}


class LoggedResource(serializers.Serializer[Any]):
    """A resource and actions on it; the type is empty where a scope could not be read."""

    type = serializers.CharField(allow_blank=True)
    name = serializers.CharField(allow_blank=True)
    actions = serializers.ListField(child=serializers.CharField(allow_blank=True))


class IssuanceRow(serializers.ModelSerializer[Issuance]):
    """A decision: docs/audit.md says what each field means."""

    requested = LoggedResource(many=True)
    granted = LoggedResource(many=True)

    class Meta:
        model = Issuance
        fields = "__all__"
        ref_name = "Issuance"


class IssuancePage(serializers.Serializer[Any]):
    """Rows, newest first."""

    results = IssuanceRow(many=True)
    older = serializers.URLField(allow_null=True, help_text="null where the log ends")
    newer = serializers.URLField(allow_null=True)
    searched_back_to = serializers.DateTimeField(
        allow_null=True, help_text="The search took too long; `older` goes on from here"
    )
    searched_up_to = serializers.DateTimeField(allow_null=True, help_text="The same of `newer`")


class Manifest(serializers.Serializer[Any]):
    """What the exported file has to be, to be read and as signed."""

    export = serializers.UUIDField()
    issuer = serializers.CharField()
    created_at = serializers.DateTimeField()
    by = serializers.CharField()
    format = serializers.ChoiceField(list(FORMATS))
    filter = serializers.DictField(child=serializers.CharField())
    after = serializers.UUIDField(allow_null=True)
    until = serializers.DateTimeField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField()
    sha256 = serializers.CharField()
    first_id = serializers.UUIDField(allow_null=True)
    last_id = serializers.UUIDField(allow_null=True)
    statement = serializers.CharField(help_text="JWS of the type issuance-manifest+jws")

    def get_fields(self) -> dict[str, Any]:
        """`from` is no name in Python."""
        return {**super().get_fields(), "from": serializers.DateTimeField(allow_null=True)}


class Proof(serializers.Serializer[Any]):
    """That a row is sealed: `python -m issuances.verify --proof` checks it."""

    format = serializers.ChoiceField([PROOF_FORMAT])
    line = serializers.CharField(help_text="The row's canonical line")
    index = serializers.IntegerField(help_text="Its place in the batch, from 0")
    path = serializers.ListField(
        child=serializers.CharField(), help_text="The audit path of RFC 6962, 2.1.1, in hex"
    )
    statement = serializers.CharField(help_text="The seal: JWS of the type issuance-seal+jws")


def _filters() -> list[OpenApiParameter]:
    return [
        query(name, _schema(name, filter), str(filter.label))
        for name, filter in IssuanceFilter.base_filters.items()
    ]


def _schema(name: str, filter: Any) -> dict[str, Any]:
    if "choices" in filter.extra:
        return {"type": "string", "enum": [*(value for value, _ in filter.extra["choices"]), ""]}
    if name == "jti":
        return _ID_OR_NOTHING
    if name in ("from", "until"):
        return _TIME
    return {"type": "string", "maxLength": 255}


class Issuances(Described):
    """Pages."""

    @operation(
        "listIssuances",
        "A page of the issuance log",
        f"{_READ} Rows that match all parameters, newest first. `older` and `newer` are the pages"
        " beside it: follow them to the letter. A page never takes long, whatever is asked for; a"
        " search that would is ended, and says how far it came.",
        tag="issuance log",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            *_filters(),
            query("before", _ID_OR_NOTHING, "Rows older than this one"),
            query("after", _ID_OR_NOTHING, "Rows that follow this one; not with `before`"),
            query(
                "size",
                {"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_SIZE},
                "Rows of a page",
            ),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={200: IssuancePage, **_ANSWERS},
    )
    def get(self, request: Any) -> None: ...


class OneIssuance(Described):
    """A row."""

    @operation(
        "getIssuance",
        "A row of the issuance log",
        _READ,
        tag="issuance log",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            OpenApiParameter("row_id", _ID, OpenApiParameter.PATH, description="Its token's jti"),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={200: IssuanceRow, **_ANSWERS, **errors(404)},
    )
    def get(self, request: Any) -> None: ...


class OneProof(Described):
    """The proof of a row."""

    @operation(
        "getProof",
        "The proof that a row is sealed",
        f"{_READ} 404 also for a row that waits for its seal (`not_sealed_yet`), and for one that"
        " is no longer what was sealed (`altered`).",
        tag="issuance log",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            OpenApiParameter("row_id", _ID, OpenApiParameter.PATH, description="Its token's jti"),
            answer_header("Content-Disposition", "A name for the file", 200),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={200: Proof, **_ANSWERS, **errors(404)},
    )
    def get(self, request: Any) -> None: ...


class Export(Described):
    """The log as a file."""

    @operation(
        "exportIssuances",
        "All rows that match, as a file",
        f"{_EXPORT} Oldest first, without any limit, up to the moment of asking. The file ends as"
        " HTTP says (chunked coding); what ends otherwise is not complete, and goes on by `after`"
        " its last whole row. The header `Link` names the manifest. Of each process two exports"
        " run at once; more are told to come later (503).",
        tag="issuance log",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            *_filters(),
            query("format", {"type": "string", "enum": [*FORMATS, ""]}, "Default: ndjson"),
            query("after", _ID_OR_NOTHING, "Only rows that follow this one"),
            answer_header("Link", "The manifest's URL", 200),
            answer_header("Content-Disposition", "A name for the file", 200),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={
            **{
                (200, form.media_type.partition(";")[0]): OpenApiResponse({"type": "string"})
                for form in FORMATS.values()
            },
            **{(status, "application/json"): answer for status, answer in _ANSWERS.items()},
        },
    )
    def get(self, request: Any) -> None: ...


class OneManifest(Described):
    """The manifest of an export."""

    @operation(
        "getManifest",
        "The signed manifest of an export",
        f"{_EXPORT} There is one once the export is complete.",
        tag="issuance log",
        auth=BY_TOKEN_OR_SESSION,
        parameters=[
            OpenApiParameter("export_id", _ID, OpenApiParameter.PATH),
            answer_header("Content-Disposition", "A name for the file", 200),
            CHALLENGE,
            RETRY_AFTER,
        ],
        responses={200: Manifest, **_ANSWERS, **errors(404)},
    )
    def get(self, request: Any) -> None: ...
