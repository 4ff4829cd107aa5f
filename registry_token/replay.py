"""Rows of the issuance log as questions again: what would the same request get under other facts?

A row holds no token. What it does not tell, the OAuth scopes that the caller had, is taken to be
enough, unless they were what the row was refused for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.conf import settings

from issuances.models import Issuance
from registry_token.access import Access, AccessEntry, ResourceActions
from registry_token.authority import ANONYMOUS, Caller
from registry_token.entitlement import Decision, Facts, Policy, decide
from registry_token.token_request import TokenRequest


class Asked(NamedTuple):
    """A row's request and its caller."""

    request: TokenRequest
    caller: Caller


def asked_in(row: Issuance) -> Asked:
    """The question that `row` is the answer to."""
    request = TokenRequest(row.service, access_of(row.requested), subject_token=None)
    if row.subject == ANONYMOUS.subject:
        return Asked(request, ANONYMOUS)
    had_scopes = row.refusal != "insufficient_scope"
    caller = Caller(
        subject=row.subject,
        client_id=row.client_id,
        tenant=row.tenant,
        scopes=frozenset(settings.AUTHORITY_REQUIRED_SCOPES if had_scopes else ()),
        plan=row.plan or None,
        licence="" if row.refusal == "licence_malformed" else row.licence or None,
        jti=row.caller_jti,
    )
    return Asked(request, caller)


def access_of(entries: Iterable[AccessEntry]) -> Access:
    """The access that a row's `requested` or `granted` stands for."""
    return tuple(
        ResourceActions(entry["type"], entry["name"], frozenset(entry["actions"]))
        for entry in entries
    )


def decide_again(row: Issuance, facts: Facts, policy: Policy) -> Decision:
    """What the same request would get under these facts and this policy."""
    request, caller = asked_in(row)
    return decide(request, caller, facts, policy)
