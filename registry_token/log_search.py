"""What somebody pasted into the one search box of the issuance log, as the rows that it leads to.

A text is compared as a whole with what the log has an index for. An error of /token leads to its
row by the request id in it, a scope or an image to its repository, a registry token to its row by
its jti; nothing of a token is part of what is returned.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from issuances.finding.filters import FilterErrors, IssuanceFilter
from issuances.finding.paging import page_of
from issuances.models import Issuance
from registry_token.pasted_requests import Unreadable, read_pasted
from registry_token.pasted_tokens import read_registry_token, token_in

# What a text may be, the rarest first.
KINDS = {
    "request_id": gettext_lazy("request id"),
    "licence": gettext_lazy("licence"),
    "subject": gettext_lazy("subject"),
    "address": gettext_lazy("address"),
    "repository": gettext_lazy("repository"),
    "tenant": gettext_lazy("tenant"),
    "client": gettext_lazy("client"),
    "plan": gettext_lazy("plan"),
    "service": gettext_lazy("service"),
}

_LONGEST, _LONGEST_COMMAND = 70_000, 4_000  # characters
_NAMES = tuple(kind for kind in KINDS if kind != "address")

# In the body of an error, as curl shows it and people send it.
_REQUEST_ID = re.compile(r'"request_id":\s*"([^"]{1,200})"')


@dataclass(frozen=True, slots=True)
class Found:
    """`row`: the one that was meant. Else `lists`: by parameter of the filter its value. `said` is
    for the person who searches.
    """

    row: UUID | None = None
    lists: tuple[tuple[str, str], ...] = ()
    said: str = ""


def search(text: str, now: datetime) -> Found:
    """Raises pasted_tokens.NotOurs, django.db.Error."""
    text = text.strip()
    if len(text) > _LONGEST:
        return Found(said=_("This is too long: paste a token, an error or one value."))
    token = token_in(text)
    if token is not None:
        return _by_token(token, now)
    if (in_error := _REQUEST_ID.search(text)) is not None:
        text = in_error[1]
    if (row := _row_of(text)) is not None:
        return Found(row)
    lists = tuple(_lists(text)) or tuple(_repositories(text))
    if not lists:
        return Found(said=_nothing())
    if lists[0][0] == "request_id":
        page = page_of(IssuanceFilter(dict(lists[:1])).filtered, size=2)
        if len(page.rows) == 1:
            return Found(page.rows[0].id)
    return Found(lists=lists)


def _by_token(token: str, now: datetime) -> Found:
    pasted = read_registry_token(token)
    at = {"time": f"{pasted.expires_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"}
    said = _("The token is genuine; it expires at %(time)s UTC.") % at
    if pasted.expires_at <= now:
        said = _("The token is genuine; it expired at %(time)s UTC.") % at
    if Issuance.objects.filter(id=pasted.jti).exists():
        return Found(pasted.jti, said=said)
    missing = _("The log has no row of it: it was pruned, or this is another database.")
    return Found(said=f"{said} {missing}")


def _row_of(text: str) -> UUID | None:
    """By its id. A request id, which may look the same, is none."""
    try:
        wanted = UUID(text)
    except ValueError:
        return None
    return Issuance.objects.filter(id=wanted).values_list("id", flat=True).first()


def _lists(text: str) -> Iterator[tuple[str, str]]:
    if is_address := _is_address(text):
        yield "address", text
    for kind in KINDS if not is_address else _NAMES:
        try:
            filtered = IssuanceFilter({kind: text}).filtered
        except FilterErrors:
            continue
        if text and page_of(filtered, size=1).rows:
            yield kind, text


def _repositories(text: str) -> Iterator[tuple[str, str]]:
    """Of one scope, image or command, such as docker pull and what follows."""
    if len(text) > _LONGEST_COMMAND:
        return
    try:
        (reading,) = read_pasted(text)
    except (Unreadable, ValueError):
        return
    name = reading.scope.removeprefix("repository:").rpartition(":")[0]
    if name and page_of(IssuanceFilter({"repository": name}).filtered, size=1).rows:
        yield "repository", name


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _nothing() -> str:
    kinds = ", ".join(str(label) for label in KINDS.values())
    return _(
        "No row has this as its jti, %(kinds)s. Values are compared as a whole; for the beginning"
        " of a repository's name use the filter. Access tokens that did not hold make no row: see"
        " Failed authentications."
    ) % {"kinds": kinds}
