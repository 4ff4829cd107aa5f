"""The cost of each step of a token, timed by `steps` in a process on the service's core."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict, dataclass

from benchmarks.callers import Ask
from benchmarks.server import Server
from registry_token.config_values import BASE_DIR


@dataclass(frozen=True, slots=True)
class Step:
    """One step: microseconds of CPU and elapsed."""

    name: str
    cpu: float
    wall: float | None
    note: str


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of a token, and what only some tokens need, of one kind of service."""

    label: str
    steps: list[Step]
    beside: list[Step]
    signatures: float
    """What Python signs a second."""


Costs = dict[str, tuple[float, float]]

_MEASURED = {
    "request": "query and Authorization header",
    "verify": "an access token that was verified before",
    "facts": "what is known; record confirms it",
    "decide": "",
    "sign": "",
    "record": "one round trip, committed",
    "log line": "",
    "answer": "its JSON",
}
_EXCHANGE = ("verify", "facts", "decide", "sign", "record", "log line")
_BESIDE = {
    "rsa": "the RSA operation within sign",
    "verify anew": "an access token that is new",
    "facts anew": "one query: after a change, and for a revoked licence",
}


def measure_steps(
    label: str, server: Server, asked: list[Ask], fresh: list[Ask], *, core: int, probe: float
) -> Steps:
    """Measure on the service's configuration and database.

    `fresh` are of access tokens that each is used once only; `probe` is what a worker spends on a
    request for /healthz under load, microseconds.
    """
    given, found = server.folder / "steps-given.json", server.folder / "steps-found.json"
    given.write_text(json.dumps([[asdict(ask) for ask in asks] for asks in (asked, fresh)]))
    command = [sys.executable, "-m", "benchmarks.steps", str(given), str(found)]
    with server.output.open("ab") as output:
        subprocess.run(
            ["taskset", "-c", str(core), *command],
            cwd=BASE_DIR,
            env=server.environment,
            stdout=output,
            check=True,
        )
    costs: Costs = json.loads(found.read_text())
    return steps_of(label, costs, probe)


def steps_of(label: str, costs: Costs, probe: float) -> Steps:
    """What was timed, and the differences that could not be timed by themselves."""
    in_server = probe - costs["a probe"][0]
    framework = costs["around the exchange"][0] - costs["request"][0] - costs["answer"][0]
    rest = costs["exchange"][0] - sum(costs[name][0] for name in _EXCHANGE)
    whole = costs["whole"]
    steps = [
        Step(
            "server", in_server, None, "sockets, HTTP: a probe under load, less it in one process"
        ),
        Step("framework", framework, None, "to the view and back"),
        *(Step(name, *costs[name], note) for name, note in _MEASURED.items()),
        Step(
            "rest of the exchange",
            rest,
            None,
            "the row; and what steps cost more in turn than each by itself",
        ),
        Step("a token without the server", *whole, "in one process"),
        Step("a token", whole[0] + in_server, None, "with the server"),
    ]
    beside = [Step(name, *costs[name], note) for name, note in _BESIDE.items()]
    return Steps(label, steps, beside, 1e6 / costs["rsa"][0])
