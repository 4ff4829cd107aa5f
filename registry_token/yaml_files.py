"""Reading YAML files strictly: no duplicate keys, no aliases, no dates or floats by accident."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 16 * 1024 * 1024


class StrictLoader(yaml.SafeLoader):
    """YAML's safe loader without its surprises: an error where it would silently guess."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse aliases: nested ones expand without bound."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(
                None, None, "aliases (*name) are not allowed", event.start_mark
            )
        return super().compose_node(parent, index)

    def construct_undefined(self, node: yaml.Node) -> Any:
        """Refuse tags without naming them: `!secret` may be one that lost its quotes."""
        raise yaml.constructor.ConstructorError(
            None, None, "tags (!name) are not allowed", node.start_mark
        )

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse a key that stands twice; the last one would win."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key must be text", key_node.start_mark
                )
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} stands twice", key_node.start_mark
                )
            seen.add(key_node.value)
        return super().construct_mapping(node, deep=deep)


StrictLoader.add_constructor(None, StrictLoader.construct_undefined)


def read_mapping(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The mapping that the file holds, and what is wrong with it, as sentences.

    An empty file is an empty mapping. Never raises.
    """
    try:
        if path.is_file() and path.stat().st_size > MAX_BYTES:
            return {}, [f"{path} is larger than {MAX_BYTES} bytes"]
        return mapping_of(path.read_text(encoding="utf-8"), path)
    except FileNotFoundError:
        return {}, [f"{path} does not exist"]
    except (OSError, UnicodeDecodeError) as error:
        return {}, [f"{path} cannot be read: {error}"]


def mapping_of(text: str, name: object) -> tuple[dict[str, Any], list[str]]:
    """As `read_mapping`, of a text that sentences call `name`."""
    try:
        document = yaml.load(text, StrictLoader)  # noqa: S506
    except (yaml.YAMLError, RecursionError, ValueError, LookupError, AttributeError) as error:
        return {}, [f"{name} is not valid YAML: {_where(error)}"]
    if document is None:
        return {}, []
    if not isinstance(document, dict) or not all(isinstance(key, str) for key in document):
        return {}, [f"{name} must hold a mapping of names to values"]
    return document, []


def _where(error: Exception) -> str:
    """The problem and its line, without the lines around it: they may hold secrets."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or type(error).__name__
    return f"line {mark.line + 1}: {problem}" if mark is not None else problem
