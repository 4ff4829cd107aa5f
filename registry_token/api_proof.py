"""GET /api/v1/issuances/{id}/proof: that a row is sealed, to be checked without this service."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from issuances.models import Issuance
from issuances.sealing.proofs import ProofError
from issuances.sealing.sealed import NotSealedYet, proof_for
from registry_token.api import ApiView
from registry_token.api_issuances import required_id
from registry_token.errors import NotFound
from registry_token.log_access import AUDIT_SCOPE, VIEW_LOG

NOT_YET = "it is sealed by the next run of manage.py seal_issuances, when it is a minute old"


class ProofView(ApiView):
    """Of one row."""

    permission = VIEW_LOG
    scope = AUDIT_SCOPE

    def get(self, request: Request, row_id: str) -> Response:
        """By the row's id, which is its token's jti."""
        found = required_id("the row's id", row_id)
        headers = {"Content-Disposition": f'attachment; filename="issuance-{found}.proof.json"'}
        return Response(_proof(found), headers=headers)


def _proof(row_id: Any) -> dict[str, Any]:
    try:
        return proof_for(row_id)
    except Issuance.DoesNotExist:
        raise NotFound(f"the log has no row {row_id}", reason="no_such_row") from None
    except NotSealedYet:
        raise NotFound(
            f"row {row_id} is not sealed yet: {NOT_YET}", reason="not_sealed_yet"
        ) from None
    except ProofError as error:
        raise NotFound(f"{error}; manage.py verify_issuances says more", reason="altered") from None
