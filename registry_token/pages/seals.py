"""Seals of the issuance log: the newest one, to be noted down elsewhere, and the proof of a row."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

from django.contrib import messages
from django.db.models import Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from issuances.models import Issuance, SealedBatch
from issuances.sealing.making import newest_head
from issuances.sealing.proofs import ProofError
from issuances.sealing.sealed import NotSealedYet, proof_for
from registry_token import service_seals
from registry_token.log_access import LOG_ROW, VIEW_LOG
from registry_token.pages.site import Page, context_of

_SHOWN = 20  # of the newest seals


@require_safe
def seals(request: HttpRequest) -> HttpResponse:
    """The newest seals, and what they are good for."""
    late = SealedBatch.objects.filter(late=True).aggregate(rows=Sum("rows"))
    context = context_of(
        request,
        _("Seals"),
        head=newest_head(),
        newest=SealedBatch.objects.defer("ids", "leaves", "statement")[:_SHOWN],
        late=late["rows"] or 0,
        is_overdue=service_seals.is_overdue(datetime.now(UTC)),
    )
    return TemplateResponse(request, "admin/seals.html", context)


@require_safe
def proof(request: HttpRequest, row_id: UUID) -> HttpResponse:
    """The proof of a row as a file; its page with a message where there is none."""
    try:
        made = proof_for(row_id)
    except Issuance.DoesNotExist:
        raise Http404(_("The log has no row %(id)s.") % {"id": row_id}) from None
    except NotSealedYet:
        said = _("The row is not sealed yet: the next run of seal_issuances seals it.")
        messages.warning(request, said)
        return redirect(LOG_ROW, row_id)
    except ProofError as error:
        said = _("There is no proof: %(why)s. Run verify_issuances.") % {"why": error}
        messages.error(request, said)
        return redirect(LOG_ROW, row_id)
    response = HttpResponse(json.dumps(made), content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="issuance-{row_id}.proof.json"'
    return response


_PROOF = "issuances/issuance/<uuid:row_id>/proof.json"

PAGES: tuple[Page, ...] = (
    Page("seals/", "seals", seals, VIEW_LOG, gettext_lazy("Seals")),
    Page(_PROOF, "issuance_proof", proof, VIEW_LOG),
)
