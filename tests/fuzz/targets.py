"""The fuzz targets by name: each takes any bytes, and whatever it raises is a fault.

What the service documents for a bad input is caught in them; everything else is not.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.fuzz import decisions, tokens, wire
from tests.fuzz.world import World

Target = Callable[[World, bytes], None]

TARGETS: dict[str, Target] = {
    target.__name__: target
    for target in (
        *(decisions.scopes, decisions.decision, decisions.patterns),
        *(wire.query, wire.form, wire.authorization, wire.headers, wire.connection),
        *(tokens.token, tokens.token_header, tokens.token_claims, tokens.token_signature),
        *(tokens.json_object, tokens.key_set),
    )
}
