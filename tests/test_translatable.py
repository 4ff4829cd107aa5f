"""What people read in the admin goes through gettext, in templates and in Python.

Messages of commands, of the configuration and of /token are for programs and operators, in English.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from registry_token.config_values import BASE_DIR

# Commands of the operator, and the description of the API.
_NOT_READ = {"migrations", "management", "openapi", "verify.py"}
APPS = ("plans", "licences", "issuances", "people", "registry_token")
_BLOCKS = re.compile(
    r"\{% block (?:coltype|bodyclass) %\}.*?\{% endblock %\}"
    r"|\{#.*?#\}|\{% blocktranslate.*?\{% endblocktranslate %\}|\{%.*?%\}|\{\{.*?\}\}",
    re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z]{2}")
_READ_ALOUD = ("aria-label", "placeholder", "title", "alt")
_KEYWORDS = {
    *("help_text", "label", "verbose_name", "verbose_name_plural", "description"),
    *("search_help_text", "title", "placeholder", "aria-label"),
}
_CALLS = {"ValidationError", "message_user", "Http404"}
_OF_MESSAGES = {"success", "warning", "info", "error"}


class Texts(HTMLParser):
    """The texts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_code = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_code = tag == "code"
        read = dict(attrs)
        is_label = tag == "input" and read.get("type") == "submit"
        names = [*_READ_ALOUD, *(["value"] if is_label else [])]
        self.found += [value for name in names if (value := read.get(name))]

    def handle_endtag(self, tag: str) -> None:
        self._in_code = False

    def handle_data(self, data: str) -> None:
        if not self._in_code:  # which is for programs
            self.found.append(data.strip())


def texts_of_template(source: str) -> list[str]:
    """Those that no tag of gettext has."""
    parser = Texts()
    parser.feed(_BLOCKS.sub("", source))
    return [text for text in parser.found if _WORD.search(text)]


def texts_of_module(source: str) -> list[str]:
    """Literals in places whose text is shown."""
    return [text for node in ast.walk(ast.parse(source)) for text in _texts(node)]


def _texts(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.keyword(arg=str(name), value=value) if name in _KEYWORDS:
            yield from _literal(value)
        case ast.keyword(arg="error_messages", value=ast.Dict(values=values)):
            for value in values:
                yield from _literal(value)
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in _KEYWORDS:
            yield from _literal(value)
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _KEYWORDS:
                    yield from _literal(value)
        case (
            ast.Call(func=ast.Attribute(value=ast.Name(id="messages"), attr=name), args=args)
            | ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=args)
        ) if _shows(node, name):
            for value in args:
                yield from _literal(value)
        case ast.ClassDef(bases=[ast.Attribute(attr="TextChoices")], body=body):
            for line in body:
                if isinstance(line, ast.Assign):
                    yield from _literal(line.value)


def _shows(node: ast.AST, name: str) -> bool:
    return name in _CALLS or (name in _OF_MESSAGES and "messages." in ast.unparse(node))


def _literal(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (text for part in node.values for text in _literal(part) if _WORD.search(text))


def _files(pattern: str) -> list[Path]:
    found = [path for app in APPS for path in (BASE_DIR / app).rglob(pattern)]
    return [path for path in found if not _NOT_READ & set(path.parts)]


@pytest.mark.parametrize("path", _files("*.html"), ids=lambda path: path.name)
def test_a_template_holds_no_text_without_gettext(path):
    assert texts_of_template(path.read_text()) == []


def test_no_module_shows_a_text_without_gettext():
    texts = {
        str(path.relative_to(BASE_DIR)): found
        for path in _files("*.py")
        if (found := texts_of_module(path.read_text()))
    }
    assert texts == {}


@pytest.mark.parametrize(
    "source",
    [
        "<p>Hello</p>",
        '<input type="submit" value="Save">',
        '<a aria-label="Home" href="/">{{ x }}</a>',
        "{% if a %}Yes{% endif %}",
    ],
)
def test_a_text_in_a_template_would_be_found(source):
    assert len(texts_of_template(source)) == 1
    translated = '<p title="{% translate "a title" %}">{% translate "Hello" %}{{ a.name }}</p>'
    assert texts_of_template(translated) == []


@pytest.mark.parametrize(
    "source",
    [
        "field(help_text='A text')",
        "@admin.display(description='A text')\ndef f(): pass",
        "raise ValidationError('A text')",
        "raise ValidationError(f'A text {x}')",
        "class Effect(models.TextChoices):\n    ALLOW = 'allow'",
        "class Filter:\n    title = 'outcome'",
        "widget(attrs={'placeholder': 'A text'})",
        "messages.success(request, 'A text')",
        "field(error_messages={'required': 'A text'})",
    ],
)
def test_a_text_in_a_module_would_be_found(source):
    assert len(texts_of_module(source)) == 1
    assert texts_of_module("field(label=_('A text'), help_text='')") == []
