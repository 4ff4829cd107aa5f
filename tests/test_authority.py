"""Caller tokens by their form: what is accepted, what is refused before a key is looked at.

RFC 7515, 2 and 7.1 (compact form); RFC 8725, 3.6 and 3.7 (compression, UTF-8).
"""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable

import pytest

from tests.authority import Authority
from tests.caller_tokens import GENERAL, PULL, raw_token, refusal, segment
from tests.conftest import basic


@pytest.mark.usefixtures("catalogue")
def test_accepts_the_tokens_that_the_other_tests_spoil(authority, get_token, open_token):
    assert open_token(get_token(raw_token(authority), PULL))["sub"] == "alice"


def token_of_length(authority, length):
    """A good token of so many characters; the header takes what the payload cannot reach."""
    claims = authority.claims(**{"stellaops:plan": "community"})
    for in_header in range(3):
        header = {"alg": "RS256", "kid": authority.kid, "x": "x" * in_header}
        free = length - len(raw_token(authority, header, claims | {"filler": ""}))
        for in_payload in range(free * 3 // 4 - 4, free):
            token = segment(claims | {"filler": "x" * in_payload})
            found = len(segment(header)) + len(token) + 2 + 342
            if found == length:
                return raw_token(authority, header, claims | {"filler": "x" * in_payload})
            if found > length:
                break
    raise AssertionError(f"no token of {length} characters")


@pytest.mark.usefixtures("catalogue")
def test_accepts_16_kib_to_the_byte(authority, get_token):
    longest, longer = (token_of_length(authority, 16 * 1024 + more) for more in (0, 1))
    assert (len(longest), len(longer)) == (16384, 16385)
    assert get_token(longest, PULL).status_code == 200
    assert refusal(get_token(longer, PULL)) == GENERAL


def test_hostile_sizes_are_refused_at_once(authority, get_token):
    nested = b'{"a":' * 100_000 + b"1" + b"}" * 100_000
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    lists = b'{"alg":"RS256","a":' + b"[" * 4000 + b"]" * 4000 + b"}"
    digits = b'{"alg":"RS256","a":' + b"1" * 5000 + b"}"
    tokens = [
        "a" * 8_000_000,
        f"{segment(b'{}')}.{'a' * 8_000_000}.a",
        "." * 8_000_000,
        *(f"{segment(header)}.e30.AA" for header in (nested, deep, lists, digits)),
        *(raw_token(authority, payload=payload) for payload in (nested, deep, lists, digits)),
    ]
    started = time.monotonic()
    # How deep lists may nest depends on the interpreter; where these can be read, they are no
    # header that anybody has signed.
    signature = "the access token's signature does not match"
    assert {refusal(get_token(token)) for token in tokens} <= {GENERAL, signature}
    assert time.monotonic() - started < 5


def spoiled(change: Callable[..., str]) -> Callable[[Authority], str]:
    """A token from the three segments of a good one."""
    return lambda authority: change(*raw_token(authority).split("."))


FORMS = {
    "no segments": spoiled(lambda h, p, s: "token"),
    "two segments": spoiled(lambda h, p, s: f"{h}.{p}"),
    "no signature": spoiled(lambda h, p, s: f"{h}.{p}."),
    "no payload": spoiled(lambda h, p, s: f"{h}..{s}"),
    "no header": spoiled(lambda h, p, s: f".{p}.{s}"),
    "four segments": spoiled(lambda h, p, s: f"{h}.{p}.{s}.{s}"),
    "CVE-2024-33664, JWE of five segments": spoiled(lambda h, p, s: f"{h}.{s}.{s}.{p}.{s}"),
    "padded header": spoiled(lambda h, p, s: f"{h}{'=' * (-len(h) % 4 or 4)}.{p}.{s}"),
    "padded payload": spoiled(lambda h, p, s: f"{h}.{p}{'=' * (-len(p) % 4 or 4)}.{s}"),
    "padded signature": spoiled(lambda h, p, s: f"{h}.{p}.{s}=="),
    "newline before": spoiled(lambda h, p, s: f"\n{h}.{p}.{s}"),
    "newline after": spoiled(lambda h, p, s: f"{h}.{p}.{s}\n"),
    "carriage return after": spoiled(lambda h, p, s: f"{h}.{p}.{s}\r\n"),
    "tab after": spoiled(lambda h, p, s: f"{h}.{p}.{s}\t"),
    "no-break space after": spoiled(lambda h, p, s: f"{h}.{p}.{s}\u00a0"),
    "space inside": spoiled(lambda h, p, s: f"{h}. {p}.{s}"),
    "newline inside": spoiled(lambda h, p, s: f"{h}.{p[:9]}\n{p[9:]}.{s}"),
    "standard base64": spoiled(lambda h, p, s: f"{h}.{p}.+/{s[2:]}"),
    "foreign character": spoiled(lambda h, p, s: f"{h}.{p}.{s[:-1]}é"),
    "fullwidth digits": spoiled(lambda h, p, s: f"{h}.{p}.{s[:-1]}１"),
    "stray bits at the end": spoiled(lambda h, p, s: f"{h}.{p}.{s[:-1]}{chr(ord(s[-1]) + 1)}"),
    "JSON serialization": spoiled(
        lambda h, p, s: json.dumps({"protected": h, "payload": p, "signature": s})
    ),
    "header is no JSON": spoiled(lambda h, p, s: f"{segment(b'alg')}.{p}.{s}"),
    "header is a list": spoiled(lambda h, p, s: f"{segment(['alg', 'RS256'])}.{p}.{s}"),
    "header is a string": spoiled(lambda h, p, s: f"{segment('RS256')}.{p}.{s}"),
    "header is null": spoiled(lambda h, p, s: f"{segment(None)}.{p}.{s}"),
}


@pytest.mark.parametrize("token", FORMS.values(), ids=FORMS)
def test_refuses_what_is_no_compact_jws(token, authority, get_token, post_token):
    token = token(authority)
    assert refusal(get_token(token)) == GENERAL
    challenge = 'Basic realm="https://tokens.example.com/token"'
    in_basic = {"Authorization": basic(token)}
    assert refusal(get_token(None, headers=in_basic), challenge) == GENERAL
    for grant_type in ("password", "refresh_token"):
        form = {"grant_type": grant_type, grant_type: token}
        assert refusal(post_token(**form), challenge) == GENERAL


PAYLOADS = {
    "no JSON": lambda claims: b"foo",
    "a list": lambda claims: b"[" + claims + b"]",
    "null": lambda claims: b"null",
    "two objects": lambda claims: claims + claims,
    "UTF-16": lambda claims: claims.decode().encode("utf-16"),
    "UTF-16 without mark": lambda claims: claims.decode().encode("utf-16-be"),
    "UTF-32": lambda claims: claims.decode().encode("utf-32"),
    "UTF-8 with mark": lambda claims: b"\xef\xbb\xbf" + claims,
    "Latin-1": lambda claims: claims.replace(b"alice", b"alic\xe9"),
    "overlong UTF-8": lambda claims: claims.replace(b"alice", b"alic\xc1\xa5"),
    "deflated": zlib.compress,
    "a member twice": lambda claims: claims[:-1] + b',"sub":"alice"}',
    "a member of a member twice": lambda claims: claims[:-1] + b',"x":{"y":1,"y":2}}',
    "a member twice, once escaped": lambda claims: claims[:-1] + b',"s\\u0075b":"bob"}',
    "NaN somewhere": lambda claims: claims[:-1] + b',"x":NaN}',
    "a nested token": lambda claims: segment(claims).encode(),
}


@pytest.mark.parametrize("change", PAYLOADS.values(), ids=PAYLOADS)
def test_refuses_signed_payloads_that_are_no_json_object(change, authority, get_token):
    payload = change(json.dumps(authority.claims()).encode())
    assert refusal(get_token(raw_token(authority, payload=payload))) == GENERAL
