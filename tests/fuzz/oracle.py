"""A second implementation of what a plan grants, written from the documentation alone.

It shares no code and no idea with the first: no regular expressions, no compiled rules, one
resource and one action at a time. Rules are mappings as in a catalogue file.
"""

from __future__ import annotations

from typing import Any

Rule = dict[str, Any]

LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
ALNUM = LOWER + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ACTIONS = ("delete", "pull", "push")


def expected_access(rules: list[Rule], service: str, scope: str) -> list[dict[str, Any]]:
    """The `access` claim for the scopes in `scope`, which are separated by blanks."""
    asked: dict[tuple[str, str], set[str]] = {}
    for one in scope.split(" "):
        if (resource := read_scope(one)) is not None:
            type_, name, words = resource
            if words:
                asked.setdefault((type_, name), set()).update(words)
    access = []
    for (type_, name), actions in asked.items():
        granted = {
            action
            for action in (*ACTIONS, "*")
            if (action in actions or "*" in actions)
            and is_allowed(rules, service, type_, name, action)
        }
        if granted:
            access.append({"type": type_, "name": name, "actions": sorted(granted)})
    return access


def read_scope(scope: str) -> tuple[str, str, list[str]] | None:
    """Type, name and actions, or None when the scope has not all of them."""
    if scope.count(":") < 2:
        return None
    parts = scope.split(":")
    type_, name, actions = parts[0], ":".join(parts[1:-1]), parts[-1].split(",")
    if "(" in type_:
        type_, _, class_ = type_.partition("(")
        if not class_.endswith(")") or not class_[:-1] or class_[:-1].strip(LOWER):
            return None
    if not type_ or type_.strip(LOWER):
        return None
    return type_, name, [action for action in actions if action]


def is_allowed(rules: list[Rule], service: str, type_: str, name: str, action: str) -> bool:
    """Whether some rule allows it and none denies it; `*` itself only where no rule denies."""
    speaking = [rule for rule in rules if speaks(rule, service, type_, name)]
    allowing = [rule for rule in speaking if rule.get("effect", "allow") == "allow"]
    denying = [rule for rule in speaking if rule.get("effect", "allow") == "deny"]
    if action == "*":
        return any("*" in rule["actions"] for rule in allowing) and not denying
    if type_ != "repository":
        return False
    return any({action, "*"} & set(rule["actions"]) for rule in allowing) and not any(
        {action, "*"} & set(rule["actions"]) for rule in denying
    )


def speaks(rule: Rule, service: str, type_: str, name: str) -> bool:
    """Whether the rule is about this resource on this registry."""
    if rule.get("services") and service not in rule["services"]:
        return False
    if "registry" in rule:
        return type_ == "registry" and name == rule["registry"]
    return type_ == "repository" and is_name(name) and covers(rule["repositories"], name)


def covers(pattern: str, name: str) -> bool:
    """`*` within a segment, `**` for segments: any number, but at least one at the end."""
    segments = name.split("/")
    # The ends of the name's parts that the pattern's parts so far can cover.
    reached = {0}
    parts = pattern.split("/")
    for place, part in enumerate(parts):
        if part == "**":
            least = 1 if place == len(parts) - 1 else 0
            reached = {end for start in reached for end in range(start + least, len(segments) + 1)}
        else:
            reached = {
                start + 1
                for start in reached
                if start < len(segments) and fits(part, segments[start])
            }
    return len(segments) in reached


def fits(part: str, segment: str) -> bool:
    """Whether one part of a pattern, with its stars, is the whole segment."""
    reached = {0}
    for char in part:
        if char == "*":
            reached = {end for start in reached for end in range(start, len(segment) + 1)}
        else:
            reached = {start + 1 for start in reached if segment[start : start + 1] == char}
    return len(segment) in reached


def is_name(name: str) -> bool:
    """Distribution's repository names, with or without a host in front, up to 255 characters."""
    if len(name) > 255:
        return False
    host, slash, rest = name.partition("/")
    if slash and is_host(host) and all(map(is_component, rest.split("/"))):
        return True
    return all(map(is_component, name.split("/")))


def is_component(component: str) -> bool:
    """Lower-case letters and digits, joined by `.`, `_`, `__` or any number of hyphens."""
    if not component or component[0] not in LOWER or component[-1] not in LOWER:
        return False
    joint = ""
    for char in component:
        if char not in LOWER:
            joint += char
        elif joint and joint not in (".", "_", "__") and joint.strip("-"):
            return False
        else:
            joint = ""
    return True


def is_host(host: str) -> bool:
    """A domain name or IPv4 address, with or without a port."""
    domain, colon, port = host.partition(":")
    if colon and (not port or port.strip("0123456789")):
        return False
    return all(
        label and not label.strip(ALNUM + "-") and label[0] in ALNUM and label[-1] in ALNUM
        for label in domain.split(".")
    )
