"""The story of one request: who asks, what is known, the decision, the token, the row.

No token leaves without its committed row, and no row claims a token that was not signed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from issuances.identifiers import uuid7
from registry_token import database, record, signing
from registry_token.access import AccessEntry, ResourceActions
from registry_token.authority import ANONYMOUS, Caller, authenticate
from registry_token.entitlement import Decision, Facts, Policy, Refusal, decide
from registry_token.errors import Denied, Unauthenticated
from registry_token.logs import encoded, log_decision, printable
from registry_token.record import Row
from registry_token.signing import RegistryToken
from registry_token.token_request import TokenRequest

# Characters.
MAX_USER_AGENT = 255
MAX_TEXT = 2000
MAX_NAME = 300  # as long as a scope may be; escaped, a name could become ten times as long


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
    until = database.deadline()
    # An anonymous refusal has no row that could confirm what is assumed. (A token always has its
    # row: where anonymous callers are let in, they can fill the table.)
    facts = record.read_facts(None, until) if caller.anonymous else record.assumed_facts(until)
    while True:
        row, outcome = _decided(request, caller, facts, origin, now)
        encoded_row = encoded(row._asdict())
        if caller.anonymous and isinstance(outcome, Denied):
            break
        if record.commit(row, encoded_row, facts, until):
            break
        facts = record.read_facts(caller.licence, until)
    log_decision("refused" if row.refusal else "granted", encoded_row)
    if isinstance(outcome, Denied):
        raise outcome
    return outcome


def policy() -> Policy:
    """The deciding part of the configuration."""
    return Policy(
        services=settings.REGISTRY_SERVICES,
        required_scopes=frozenset(settings.AUTHORITY_REQUIRED_SCOPES),
        default_plan=settings.PLANS_DEFAULT,
        anonymous_plan=settings.PLANS_ANONYMOUS,
        empty_token=settings.REGISTRY_ON_NOTHING_GRANTED == "empty_token",
    )


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


def _decided(
    request: TokenRequest, caller: Caller, facts: Facts, origin: Origin, now: datetime
) -> tuple[Row, RegistryToken | Denied]:
    """The decision under these facts: its row, and what the caller gets once that is committed."""
    decision = decide(request, caller, facts, policy())
    row = _row(request, caller, decision, origin, now)
    row = row._replace(catalogue_revision=facts.catalogue.revision.number)
    if decision.refusal is not None:
        return row, _denied(decision.refusal, row)
    token = signing.issue(
        subject=caller.subject,
        audience=request.service,
        access=decision.granted,
        jti=row.id,
        now=now,
    )
    return row._replace(jti=token.jti, expires_at=token.expires_at), token


def _row(
    request: TokenRequest, caller: Caller, decision: Decision, origin: Origin, now: datetime
) -> Row:
    """The row of a decision, as of no revision and without a token."""
    return Row(
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
        jti=None,
        expires_at=None,
        refusal="" if decision.refusal is None else decision.refusal.code,
        catalogue_revision=0,
        caller_jti=caller.jti,
        remote_address=origin.remote_address,
        user_agent=printable(origin.user_agent, MAX_USER_AGENT),
    )


def _printable_entry(asked: ResourceActions) -> AccessEntry:
    """What a client asks for is any text; what is stored and logged is printable."""
    entry = asked.entry()
    entry["name"] = printable(entry["name"], MAX_NAME)
    entry["actions"] = [printable(action, MAX_NAME) for action in entry["actions"]]
    return entry


def _denied(refusal: Refusal, row: Row) -> Denied:
    detail = {
        "reason": refusal.code,
        "plan": row.plan,
        "service": row.service,
        "requested": row.requested,
        "request_id": row.request_id,
    }
    return Denied(printable(refusal.message, MAX_TEXT), reason=refusal.code, detail=detail)
