"""Who asks for what: a catalogue of any size, and requests as real clients send them."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.authority import Authority
from tests.service import SERVICE

LIFETIME = 24 * 3600  # seconds: filling a large database takes a while
SUBJECTS, LICENCES = 5_000, 2_000
REQUESTS_PER_CALLER = 4
AGENTS = (
    "docker/27.3.1 go/go1.22.7 git-commit/41ca978 kernel/6.1.0 os/linux arch/amd64",
    "containers/5.33.0 (github.com/containers/image)",
    "skopeo/1.18.0",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, and what its answer must grant to whom."""

    method: str
    target: str
    headers: dict[str, str]
    body: str
    subject: str
    repository: str
    actions: list[str]


def catalogue(plans: int, rules: int) -> dict[str, Any]:
    """A catalogue file's document: so many rules spread over so many plans."""
    return {
        "plans": [
            {
                "name": plan_name(number),
                "licence_required": number % 2 == 0,
                "rules": [_rule(number, rule) for rule in range(_rule_count(number, plans, rules))],
            }
            for number in range(plans)
        ]
    }


def plan_name(number: int) -> str:
    """As the log's rows have it too."""
    return f"plan-{number:03}"


def _rule_count(number: int, plans: int, rules: int) -> int:
    return rules // plans + (number < rules % plans)


def _rule(plan: int, number: int) -> dict[str, Any]:
    return {"repositories": f"acme/{plan_name(plan)}/p{number}/**", "actions": _actions(number)}


def _actions(rule: int) -> list[str]:
    return ["pull", "push"] if rule % 3 == 1 else ["pull"]


def asks(
    authority: Authority, callers: int, *, plans: int, rules: int, only: int | None = None
) -> list[Ask]:
    """Requests of so many callers in turns; each has a token, a licence and a plan of its own.

    `only` bounds how many each one makes.
    """
    found = [
        ask
        for caller in range(callers)
        for ask in _asks_of(authority, caller, plans=plans, rules=rules)[:only]
    ]
    random.Random(1).shuffle(found)  # the same order each time
    return found


def _asks_of(authority: Authority, caller: int, *, plans: int, rules: int) -> list[Ask]:
    """Three as docker, podman and skopeo ask, one as containerd does."""
    subject = f"user-{caller % SUBJECTS}"
    plan = caller % plans
    tenant: dict[str, Any] = {"stellaops:tenant": f"tenant-{caller % LICENCES}"}
    token = authority.token(
        plan_name(plan),
        f"LIC-{caller % LICENCES:04}",
        sub=subject,
        exp=authority.claims()["iat"] + LIFETIME,
        **tenant,
    )
    built = []
    for number in range(REQUESTS_PER_CALLER):
        rule = (caller // plans + number) % _rule_count(plan, plans, rules)
        repository = f"acme/{plan_name(plan)}/p{rule}/app-{caller}"
        scope = f"repository:{repository}:{','.join(_actions(rule))}"
        if number < len(AGENTS):
            method, target, headers, body = _basic(token, scope, AGENTS[number])
        else:
            method, target, headers, body = _form(token, scope)
        built.append(Ask(method, target, headers, body, subject, repository, _actions(rule)))
    return built


def _basic(token: str, scope: str, agent: str) -> tuple[str, str, dict[str, str], str]:
    """Distribution docs/content/spec/auth/token.md."""
    query = urlencode({"account": "me", "scope": scope, "service": SERVICE})
    credentials = base64.b64encode(f"me:{token}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "User-Agent": agent}
    return "GET", f"/token?{query}", headers, ""


def _form(token: str, scope: str) -> tuple[str, str, dict[str, str], str]:
    """Distribution docs/content/spec/auth/oauth.md."""
    form = {"grant_type": "password", "service": SERVICE, "client_id": "containerd-client"}
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=utf-8",
        "User-Agent": "containerd/1.7.24",
    }
    body = urlencode(form | {"scope": scope, "username": "me", "password": token})
    return "POST", "/token", headers, body


def write_lua(asked: list[Ask], path: Path) -> None:
    """The requests as a table for rotate.lua. JSON's ASCII text is Lua's too."""
    path.write_text("return {\n" + "".join(f"  {_lua(ask)},\n" for ask in asked) + "}\n")


def _lua(ask: Ask) -> str:
    headers = ", ".join(f"[{json.dumps(k)}] = {json.dumps(v)}" for k, v in ask.headers.items())
    body = json.dumps(ask.body) if ask.body else "nil"
    return f"{{{json.dumps(ask.method)}, {json.dumps(ask.target)}, {{{headers}}}, {body}}}"
