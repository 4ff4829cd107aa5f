"""What a client asks for: read once from a query (GET) or a form (POST), checked for form only.

Distribution docs/content/spec/auth/token.md (GET) and oauth.md (POST); RFC 6749, 3.2 and 4.3;
the credential of either is the Authority's access token, the `subject_token` of RFC 8693.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from registry_token.access import Access, parse_scopes
from registry_token.errors import MalformedRequest

MAX_FORM = 64 * 1024  # bytes: a caller token of 16 KiB, percent-encoded at worst, and the rest
MAX_SCOPES = 64
MAX_SCOPE_LENGTH = 300
MAX_SERVICE_LENGTH = 255

_GRANT_TYPES = ("password", "refresh_token")

Parameters = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request for a registry token. The caller is anonymous when `subject_token` is None, and
    has brought something that is no credential when it is "".

    `challenge` is the HTTP scheme in which the credential came: the one a 401 answers in.
    """

    service: str
    access: Access
    subject_token: str | None = field(repr=False)
    challenge: str = "Basic"


def from_query(query: Parameters, authorization: str) -> TokenRequest:
    """The request of a GET with its `Authorization` header ("" for none).

    Raises MalformedRequest.
    """
    challenge, subject_token = _credential(authorization)
    return TokenRequest(_service(query), _access(query), subject_token, challenge)


def from_form(form: Parameters, authorization: str) -> TokenRequest:
    """The request of a POST; parameters are taken from the form only, never from its URL.

    Raises MalformedRequest.
    """
    grant_type = _single(form, "grant_type")
    if grant_type not in _GRANT_TYPES:
        raise MalformedRequest(
            "grant_type must be password or refresh_token, with the Authority's access token in"
            " the field of that name"
        )
    challenge, subject_token = _credential(authorization)
    if in_form := _single(form, grant_type):
        if authorization:
            raise MalformedRequest(
                f"there are two credentials, one in {grant_type} and one in the"
                " Authorization header; send one"
            )
        subject_token = in_form
    subject_token = subject_token or ""
    return TokenRequest(_service(form), _access(form), subject_token, challenge)


def _credential(authorization: str) -> tuple[str, str | None]:
    """The scheme to answer in, and the caller token of a Bearer or Basic header.

    A header that holds none gives "": a broken credential must not pass for an anonymous caller.
    """
    scheme, _, value = authorization.partition(" ")
    value = value.strip(" ")
    if scheme.lower() == "bearer":
        return "Bearer", value
    if scheme.lower() == "basic":
        return "Basic", _basic_password(value)
    return "Basic", "" if authorization else None


def _basic_password(credentials: str) -> str:
    """The password of RFC 7617 credentials, whatever the user name; "" when there is none."""
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""


def _service(parameters: Parameters) -> str:
    service = _single(parameters, "service")
    if not service:
        raise MalformedRequest(
            "service is missing; name the registry as its challenge does: service=NAME"
        )
    if len(service) > MAX_SERVICE_LENGTH or not service.isprintable():
        raise MalformedRequest(f"service must be at most {MAX_SERVICE_LENGTH} printable characters")
    return service


def _access(parameters: Parameters) -> Access:
    scopes = [scope for value in parameters.get("scope", ()) for scope in value.split(" ") if scope]
    if len(scopes) > MAX_SCOPES:
        raise MalformedRequest(f"scope asks for {len(scopes)} things; the limit is {MAX_SCOPES}")
    if any(len(scope) > MAX_SCOPE_LENGTH for scope in scopes):
        raise MalformedRequest(f"a scope is longer than {MAX_SCOPE_LENGTH} characters")
    return parse_scopes(scopes)


def _single(parameters: Parameters, name: str) -> str:
    """The one value of a parameter; repeated equal values are one, none is ""."""
    values = {value for value in parameters.get(name, ()) if value}
    if len(values) > 1:
        raise MalformedRequest(f"{name} is given {len(values)} different values; give one")
    return values.pop() if values else ""
