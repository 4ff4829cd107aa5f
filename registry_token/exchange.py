"""The story of one request: who asks, what the database says, the decision, the token, the row.

No token leaves without its committed row, and no row claims a token that was not signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from issuances.models import Issuance
from licences.models import normalised
from plans.catalogue import Revision, catalogue_of
from registry_token import signing
from registry_token.access import AccessEntry, ResourceActions
from registry_token.authority import ANONYMOUS, Caller, authenticate
from registry_token.entitlement import Decision, Facts, Policy, Refusal, decide
from registry_token.errors import Denied, Unauthenticated
from registry_token.identifiers import uuid7
from registry_token.logs import decisions, printable
from registry_token.signing import RegistryToken
from registry_token.token_request import TokenRequest

# One round trip: whether the licence is on the deny list, and the catalogue's newest revision.
_FACTS = """
SELECT EXISTS (SELECT 1 FROM licences_revokedlicence WHERE key = %s),
       (SELECT number FROM plans_cataloguerevision ORDER BY number DESC LIMIT 1),
       (SELECT fingerprint FROM plans_cataloguerevision ORDER BY number DESC LIMIT 1)
"""

# Characters.
MAX_USER_AGENT = 255
MAX_TEXT = 2000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, for the log."""

    request_id: str
    remote_address: str
    user_agent: str


def exchange_token(request: TokenRequest, origin: Origin, now: datetime) -> RegistryToken:
    """Exchange the caller's access token for a registry token.

    Raises Unauthenticated, Denied, Unavailable, SigningKeyError, or django.db.Error when the
    database fails.
    """
    caller = _caller(request)
    facts = read_facts(caller.licence)
    decision = decide(request, caller, facts, policy())
    row = _row(request, caller, decision, origin, now)
    row.catalogue_revision = facts.catalogue.revision.number
    if decision.refusal is not None:
        row.refusal = decision.refusal.code
        # An anonymous refusal gets a line and no row. (A token always has its row: where anonymous
        # callers are let in, they can fill the table.)
        _record(row, in_table=not caller.anonymous)
        raise _denied(decision.refusal, row)
    token = signing.issue(
        subject=caller.subject,
        audience=request.service,
        access=decision.granted,
        jti=row.id,
        now=now,
    )
    row.jti, row.expires_at = token.jti, token.expires_at
    _record(row)
    return token


def policy() -> Policy:
    """The deciding part of the configuration."""
    return Policy(
        services=settings.REGISTRY_SERVICES,
        required_scopes=frozenset(settings.AUTHORITY_REQUIRED_SCOPES),
        default_plan=settings.PLANS_DEFAULT,
        anonymous_plan=settings.PLANS_ANONYMOUS,
        empty_token=settings.REGISTRY_ON_NOTHING_GRANTED == "empty_token",
    )


def read_facts(licence: str | None) -> Facts:
    """The newest catalogue, and whether `licence` is revoked: one query. Raises django.db.Error."""
    kept_open = connection.connection is not None
    try:
        return _consistent_facts(licence)
    except (OperationalError, InterfaceError):
        # A connection kept from an earlier request may have been closed by a restart since.
        if not kept_open:
            raise
        connection.close()
        return _consistent_facts(licence)


def _consistent_facts(licence: str | None) -> Facts:
    """Catalogue and deny list of the same revision: a change in between asks once more."""
    while True:
        revoked, number, fingerprint = _query_facts(licence)
        revision = Revision(number or 0, fingerprint or "")
        catalogue = catalogue_of(revision)
        if catalogue.revision == revision:
            return Facts(catalogue, bool(revoked))


def _query_facts(licence: str | None) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(_FACTS, [normalised(licence or "")])
        return cursor.fetchone()


def _caller(request: TokenRequest) -> Caller:
    if request.subject_token:
        return authenticate(request.subject_token, challenge=request.challenge)
    if request.subject_token == "" or settings.PLANS_ANONYMOUS is None:
        raise Unauthenticated(
            "no access token; send the Authority's access token as password (any user name) or as"
            " Bearer token",
            reason="no_credentials",
            challenge=request.challenge,
        )
    return ANONYMOUS


def _row(
    request: TokenRequest, caller: Caller, decision: Decision, origin: Origin, now: datetime
) -> Issuance:
    """The row of a decision, but for its outcome."""
    return Issuance(
        id=uuid7(now),
        created_at=now,
        request_id=origin.request_id,
        subject=caller.subject,
        client_id=caller.client_id,
        tenant=caller.tenant,
        plan=decision.plan,
        licence=caller.licence or "",
        service=request.service,
        requested=[_printable_entry(asked) for asked in request.access],
        granted=[granted.entry() for granted in decision.granted],
        caller_jti=caller.jti,
        remote_address=origin.remote_address,
        user_agent=printable(origin.user_agent, MAX_USER_AGENT),
    )


def _printable_entry(asked: ResourceActions) -> AccessEntry:
    """What a client asks for is any text; what is stored and logged is printable."""
    entry = asked.entry()
    entry["name"] = printable(entry["name"], MAX_TEXT)
    entry["actions"] = [printable(action, MAX_TEXT) for action in entry["actions"]]
    return entry


def _record(row: Issuance, *, in_table: bool = True) -> None:
    """Commit the row, then write the same to the log."""
    if in_table:
        row.save(force_insert=True)
    fields = {field.attname: getattr(row, field.attname) for field in Issuance._meta.fields}
    decisions.info("refused" if row.refusal else "granted", extra={"fields": fields})


def _denied(refusal: Refusal, row: Issuance) -> Denied:
    detail = {
        "reason": refusal.code,
        "plan": row.plan,
        "service": row.service,
        "requested": row.requested,
        "request_id": row.request_id,
    }
    return Denied(printable(refusal.message, MAX_TEXT), reason=refusal.code, detail=detail)
