"""Where fuzzing begins: what real clients send, and what the targets cannot guess."""

from __future__ import annotations

import json
from collections.abc import Iterable

from tests.authority import AUDIENCE, ISSUER, new_rsa_key, public_jwk
from tests.fuzz.world import SERVICE

PULL = "repository:acme/app:pull"
# What docker, containerd, skopeo, crane and oras ask for.
SCOPES = (
    "",
    PULL,
    "repository:acme/app:push,pull",
    "repository:acme/app:pull repository:acme/app:pull,push repository:acme/internal/x:pull",
    "repository(plugin):acme/app:pull",
    "repository:acme/app:*",
    "repository:acme/internal/app:*",
    "repository:acme/x/secret:pull,push",
    "repository:host.example:5000/a/b:*",
    "repository:team-a/app:delete,pull",
    "repository:a/closed/b:pull",
    "registry:catalog:*",
    "repository:../acme/app:pull repository:ACME/app:pull repository:acme//app:pull",
    " repository:acme/app:pull, a:b repository:acme/app",
)
DECISIONS = (
    f"{PULL}\nallow pull acme/**\ndeny pull acme/app",
    "repository:a/b/c:*\nallow * **/c\nallow pull,push a/*/c registry.example.com\ndeny push **",
    "registry:catalog:*\nregistry * catalog",
    "repository:team-a/app:push\nallow push team-*/a*p\nallow pull team-a/**",
)
PATTERNS = (
    "acme/**\nacme/app",
    "**/app\na/b/app",
    "a/**/m/**/z\na/b/m/c/m/z",
    "team-*/app\nteam-a-b/app",
    "host.example:5000/**\nhost.example:5000/a__b/c--d.e",
    "*a*b*/**/**/*\nxaxb/c/d",
)
QUERIES = (
    f"account=me&client_id=docker&offline_token=true&service={SERVICE}",
    f"account=me&scope=repository%3Aacme%2Fapp%3Apush%2Cpull&service={SERVICE}",
    f"scope=repository%3Aacme%2Fapp%3Apull&scope=repository%3Aacme%2Fb%3Apull&service={SERVICE}",
    f"service={SERVICE}&scope={PULL}&scope=+{PULL}&scope=",
    f"scope={PULL}&service=",
    f"service={SERVICE}&service=other.example.com",
    "service=mirror.example.com&scope=repository:mirror/a:pull",
    f"service={SERVICE}&scope=%ff%00%0d%0a%u1234%",
)
FORM = f"service={SERVICE}&scope={PULL}&client_id=containerd-client"
FORMS = (
    f"lgrant_type=password&username=me&password=$TOKEN&{FORM}",
    f"lgrant_type=refresh_token&refresh_token=$TOKEN&{FORM}&scope={PULL}",
    f"cgrant_type=refresh_token&refresh_token=$TOKEN&service={SERVICE}&client_id=containers/image",
    f"sgrant_type=password&password=$TOKEN&{FORM}",
    "tapplication/x-www-form-urlencoded; charset=utf-8\ngrant_type=password",
    "tapplication/x-www-form-urlencoded; charset*=no-charset''x\na=b",
    "tmultipart/form-data; boundary=x\n--x\r\nContent-Disposition: form-data; name=a\r\n\r\n--x--",
    f"lgrant_type=authorization_code&code=x&{FORM}",
)
AUTHORIZATIONS = (
    "Bearer $TOKEN",
    "bearer  $TOKEN ",
    "Basic $BASIC",
    "BASIC $BASIC",
    "Basic bWU6",
    "Basic bWU=",
    "Basic //8=",
    "Basic bWU6\u00e4",
    "Basic",
    "Bearer",
    'Digest username="me"',
    "$TOKEN",
)
HEADERS = (
    "203.0.113.9\nhttps\nexample.com\n0123456789abcdef\n127.0.0.1:8000\nDocker-Client/29\n*/*",
    "198.51.100.1, 10.0.0.1, fe80::1%eth0, 2001:db8::1\nhttp\n\nshort\nlocalhost",
    "unknown, _x:123, [2001:db8::1]:80\n\n\n\n[::1]:8000\n\n\nsessionid=x\nchunked",
)
LINE = "GET /token?service=a HTTP/1.1\r\nHost: a\r\n"
POST = "POST /token HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
CHUNKED = f"{POST}Transfer-Encoding: chunked\r\n"
CONNECTIONS = (
    f"\x01{LINE}Authorization: Basic bWU6eA==\r\n\r\n",
    f"\xff{LINE}\r\n{LINE}Connection: close\r\n\r\n{LINE}\r\n",
    f"\x03{POST}Content-Length: 5\r\n\r\na=b&c{LINE}\r\n",
    f"\x02{CHUNKED}\r\n5\r\na=b&c\r\n0\r\n\r\n{LINE}\r\n",
    f"\x07{CHUNKED}\r\n5;x=y\r\na=b&c\r\n00a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n{LINE}\r\n",
    f"\x04{CHUNKED}\r\n5\r\na=b&c\r\n00a\r\n0123456789\r\n0\r\nA: x\r\nB: y\r\n\r\n{LINE}\r\n",
    f"\x05{POST}Expect: 100-continue\r\nContent-Length: 3\r\n\r\na=b",
    f"\x05{CHUNKED}Content-Length: 3\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    f"\x09{CHUNKED}\r\n-1\r\n\r\n0x5\r\n",
    "\x01\r\n\r\nGET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
)
TOKENS = ("$TOKEN", "$TOKEN.", " $TOKEN", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "....", "$TOKEN=")
HEADS = (
    {"alg": "RS256", "typ": "at+jwt"},
    {"alg": "RS256", "typ": "JWT", "kid": "a"},
    {"alg": "PS256"},
    {"alg": "none"},
    {"alg": "HS256", "typ": "at+jwt"},
    {"alg": "RS256", "crit": ["b64"], "b64": False},
    {"alg": "RS256", "jwk": {"kty": "RSA", "n": "x", "e": "AQAB"}, "jku": "https://a", "x5c": []},
    {"alg": "RS256", "zip": "DEF", "typ": "logout+jwt"},
)
GOOD_CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "alice",
    "exp": 4_000_000_000,
    "scope": "registry.token.issue",
    "stellaops:plan": "fuzz",
    "stellaops:license": "LIC-1",
}
CLAIMS = (
    GOOD_CLAIMS,
    GOOD_CLAIMS | {"aud": [AUDIENCE, "b"], "iat": 1.5, "nbf": 0, "scp": ["a", "b"], "azp": "ci"},
    GOOD_CLAIMS | {"cnf": {"jkt": "x"}, "jti": "1", "stellaops:tenant": "t"},
    GOOD_CLAIMS | {"exp": "4000000000", "stellaops:plan": ["fuzz"], "stellaops:license": None},
    GOOD_CLAIMS | {"exp": 1e300, "iat": -1, "aud": {}},
    *(GOOD_CLAIMS | {name: "a\n\0"} for name in ("sub", "jti", "stellaops:plan", "azp")),
)
DEEP = '{"a": ' + "[" * 3000 + "]" * 3000 + "}"
KEY_SET = json.dumps(
    {
        "keys": [
            public_jwk(new_rsa_key(), "a", use="sig", alg="RS256", key_ops=["verify"]),
            {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "b"},
            {"kty": "OKP"},
            1,
        ]
    }
)

_TEXTS: dict[str, Iterable[str]] = {
    "scopes": SCOPES,
    "decision": DECISIONS,
    "patterns": PATTERNS,
    "query": QUERIES,
    "form": FORMS,
    "authorization": AUTHORIZATIONS,
    "headers": HEADERS,
    "connection": CONNECTIONS,
    "token": TOKENS,
    "token_header": (*map(json.dumps, HEADS), DEEP),
    "token_claims": (*map(json.dumps, CLAIMS), DEEP),
    "token_signature": ("", "\0" * 256, "x" * 256, "x" * 257),
    "json_object": (*map(json.dumps, (*HEADS, *CLAIMS)), DEEP, '{"a": 1' + "0" * 3000 + "}"),
    "key_set": (KEY_SET, '{"keys": []}', '{"keys": [{"kty": "oct", "k": "AAAA"}]}'),
}
SEEDS = {
    target: tuple(text.encode("latin-1" if target == "connection" else "utf-8") for text in texts)
    for target, texts in _TEXTS.items()
}
