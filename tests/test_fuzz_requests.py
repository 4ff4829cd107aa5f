"""Any request at all is answered in good time, in JSON, and never by a fault."""

from __future__ import annotations

import time
from io import StringIO

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from registry_token.token_request import MAX_FORM
from tests.fuzz.wire import FORM
from tests.fuzz.world import CATALOGUE, SERVICE, World

PROPERTY = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
GOOD = f"service={SERVICE}&scope=repository:acme/app:pull,push"


@pytest.fixture
def world(db, authority, settings):
    from registry_token.wsgi import application

    settings.THROTTLE_FAILURES = 0
    call_command("load_catalogue", CATALOGUE, verbosity=0, stdout=StringIO())
    return World(authority, application)


def ask(world, method, environ, body=b""):
    """An answer that came within a second of the processor's time."""
    started = time.process_time()
    answer = world.ask(method, environ, body)
    assert time.process_time() - started < 1
    return answer


# Header fields and request lines as gunicorn passes them on: Latin-1 without line ends.
field_texts = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=80)
names = st.sampled_from(
    ["service", "scope", "grant_type", "password", "refresh_token", "username", "account", "a", ""]
)
values = st.sampled_from([SERVICE, "repository:acme/app:pull", "password", "refresh_token", ""])
pairs = st.tuples(names, values | st.text(max_size=30)).map("=".join)
forms = st.lists(pairs | field_texts, max_size=6).map("&".join)
raw_forms = forms.map(lambda text: text.encode(errors="replace"))
types = st.sampled_from([FORM, f"{FORM}; charset=utf-7", "multipart/form-data; boundary=a", ""])
schemes = st.sampled_from(["Basic ", "Bearer ", "bearer\t", "Negotiate ", ""])
methods = st.sampled_from(["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]) | st.text(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ_-", min_size=1, max_size=12
)
methods = methods.filter(lambda method: method not in ("GET", "POST", "HEAD"))
paths = st.sampled_from(["/token", "/token/", "/auth/token", "/auth/token/"])


@PROPERTY
@given(forms, st.booleans(), paths)
@example(f"{GOOD}{'&a' * 200}", True, "/token")
@example(f"{GOOD}{'&scope=a:b:c' * 64}", True, "/token")
def test_any_query(world, query, authenticated, path):
    environ = {"QUERY_STRING": query, "PATH_INFO": path}
    if authenticated:
        environ["HTTP_AUTHORIZATION"] = f"Bearer {world.token}"
    answer = ask(world, "GET", environ)
    assert answer.status in (200, 400, 403) if authenticated else answer.status in (400, 401)
    if query.count("&") >= 200 or query.count("scope=") > 64:
        assert answer.status == 400


@PROPERTY
@given(raw_forms | st.binary(max_size=300), types | field_texts, st.booleans())
@example(b"", "a/b; charset*=no-charset''x", False)  # RFC 2231
@example(b"", f"{FORM}; charset*=utf-8''%00", False)
@example(b"a" * (MAX_FORM + 1), FORM, True)
@example(b"a" * (MAX_FORM + 1), FORM, False)
@example(b"a=" * (MAX_FORM // 2), FORM, False)
def test_any_form(world, body, content_type, chunked):
    environ = {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    if chunked:
        environ |= {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}
    answer = ask(world, "POST", environ, body)
    if content_type != FORM:
        assert answer.status in (400, 401, 413, 415)
    else:
        assert answer.status in ((413,) if len(body) > MAX_FORM else (400, 401))


@PROPERTY
@given(schemes, field_texts)
def test_any_authorization_header(world, scheme, rest):
    header = {"QUERY_STRING": GOOD, "HTTP_AUTHORIZATION": scheme + rest}
    assert ask(world, "GET", header).status == 401
    header = {"HTTP_AUTHORIZATION": scheme + rest, "CONTENT_TYPE": FORM}
    form = f"grant_type=password&{GOOD}".encode()
    header["CONTENT_LENGTH"] = str(len(form))
    assert ask(world, "POST", header, form).status == 401


@PROPERTY
@given(methods, forms, field_texts)
def test_no_other_method(world, method, query, content_type):
    bearer = f"Bearer {world.token}"
    environ = {"QUERY_STRING": query, "HTTP_AUTHORIZATION": bearer, "CONTENT_TYPE": content_type}
    assert ask(world, method, environ).status == 405


@PROPERTY
@given(st.dictionaries(st.from_regex(r"HTTP_[A-Z0-9_]{1,20}", fullmatch=True), field_texts))
def test_any_other_headers_change_nothing(world, headers):
    for name in ("HTTP_HOST", "HTTP_AUTHORIZATION", "HTTP_TRANSFER_ENCODING"):
        headers.pop(name, None)
    environ = {"QUERY_STRING": GOOD, "HTTP_AUTHORIZATION": f"Bearer {world.token}"}
    answer = ask(world, "GET", environ | headers)
    assert answer.status == 200
    world.check_grant(answer, SERVICE, "repository:acme/app:pull,push")
