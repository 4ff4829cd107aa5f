"""JSON as tokens and key sets are read: one object, UTF-8, no member twice, no NaN."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry_token.strict_json import parse_object

REFUSED = {
    "nothing": b"",
    "blanks": b"  ",
    "a list": b"[]",
    "a string": b'"a"',
    "a number": b"1",
    "null": b"null",
    "two objects": b"{}{}",
    "an open object": b'{"a":1',
    "a trailing comma": b'{"a":1,}',
    "single quotes": b"{'a':1}",
    "a comment": b"{/* */}",
    "a member twice": b'{"a":1,"a":1}',
    "a member twice, escaped": b'{"a":1,"\\u0061":2}',
    "a member twice, deeper": b'{"a":[{"b":1,"b":2}]}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":Infinity}',
    "-Infinity": b'{"a":-Infinity}',
    "5000 digits": b'{"a":' + b"1" * 5000 + b"}",
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep lists": b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "UTF-16BE": '{"a":1}'.encode("utf-16-be"),
    "UTF-32": '{"a":1}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"a":1}',
    "a lone continuation byte": b'{"a":"\x80"}',
    "an encoded surrogate": b'{"a":"\xed\xa0\x80"}',
    "a raw control character": b'{"a":"\x00"}',
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_refuses(data):
    with pytest.raises(ValueError, match=r"\w"):
        parse_object(data)


def test_reads_an_object():
    data = '{"a": [1, 1.5, true, null], "é": {"a": "\\u00e9"}, "A": -0}'.encode()
    assert parse_object(data) == {"a": [1, 1.5, True, None], "é": {"a": "é"}, "A": 0}


floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), floats)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=5
)


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(), values, max_size=3))
def test_reads_what_is_written(members):
    assert parse_object(json.dumps(members).encode()) == members


@settings(deadline=None)
@given(st.binary())
def test_any_bytes_are_an_object_or_a_value_error(data):
    with contextlib.suppress(ValueError):
        assert isinstance(parse_object(data), dict)
