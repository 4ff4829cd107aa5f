"""What is granted is what a second implementation grants: for any rules and any request."""

from __future__ import annotations

import json
from io import StringIO
from urllib.parse import quote, urlencode

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from plans.pattern_errors import pattern_error
from tests.fuzz.decisions import decide_and_compare
from tests.fuzz.wire import FORM
from tests.fuzz.world import SERVICE, World

SERVICES = (SERVICE, "mirror.example.com")
PROPERTY = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

# Few letters, so that most requests meet some rule.
segments = st.sampled_from(["a", "b", "*", "*", "**", "**", "a*", "*b", "*a*"])
patterns = st.lists(segments, min_size=1, max_size=3).map("/".join)
patterns = patterns.filter(lambda pattern: pattern_error(pattern) is None)
some_actions = st.lists(
    st.sampled_from(["pull", "push", "delete", "*"]), min_size=1, max_size=3, unique=True
)
actions = st.just(["*"]) | some_actions
repository_rules = st.fixed_dictionaries(
    {"repositories": patterns, "actions": actions},
    optional={
        "effect": st.sampled_from(["allow", "deny"]),
        "services": st.lists(st.sampled_from(SERVICES), min_size=1, max_size=2, unique=True),
    },
)
catalog_rules = st.fixed_dictionaries(
    {"registry": st.just("catalog"), "actions": st.just(["*"])},
    optional={"effect": st.sampled_from(["allow", "deny"])},
)
rules = st.lists(
    st.one_of(repository_rules, repository_rules, catalog_rules), min_size=1, max_size=6
)
parts = st.sampled_from(["a", "a", "b", "ab", "a-b", "ba.b"])
odd_names = st.sampled_from(["A", "a/..", "", "h.example:5000/a", "a//b", "a/", "ab:5000", "A/a"])
names = st.lists(parts, min_size=1, max_size=3).map("/".join)
words = st.lists(
    st.sampled_from(["pull", "push", "delete", "*", "*", "Pull", ""]), min_size=1, max_size=3
)
scopes = st.one_of(
    st.builds("repository:{}:{}".format, names, words.map(",".join)),
    st.builds("repository:{}:{}".format, names | odd_names, words.map(",".join)),
    st.builds("{}:{}".format, st.sampled_from(["registry:catalog", "cnab:a"]), words.map(",".join)),
    st.sampled_from(["registry:catalog:*", "repository(plugin):a:pull", "x", ""])
    | st.text(max_size=9),
)
requests = st.lists(scopes, min_size=1, max_size=5).map(" ".join)


EVERYTHING = {"repositories": "**", "actions": ["*"]}
NO_PUSH = {"repositories": "a", "actions": ["push"], "effect": "deny"}


@settings(PROPERTY, max_examples=300)
@given(rules, requests)
@example([EVERYTHING, NO_PUSH], "repository:a:* repository:b:*")
def test_a_decision(rules, scope):
    decide_and_compare(rules, SERVICE, scope)


@pytest.fixture
def world(db, authority, settings):
    from registry_token.wsgi import application

    settings.THROTTLE_FAILURES = 0
    return World(authority, application)


# Shrinking would ask the service thousands of times; what is wrong is small enough as it is.
@settings(PROPERTY, max_examples=60, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(rules=rules, asked=st.lists(st.tuples(requests, st.sampled_from(SERVICES)), min_size=3))
def test_an_answer(world, tmp_path, rules, asked):
    world.rules = rules
    file = tmp_path / "catalogue.yaml"
    file.write_text(json.dumps({"plans": [{"name": "fuzz", "rules": rules}]}))  # which is YAML
    call_command("load_catalogue", file, verbosity=0, stdout=StringIO())
    for scope, service in asked:
        query = f"service={service}&" + "&".join(f"scope={quote(s)}" for s in scope.split(" "))
        bearer = f"Bearer {world.token}"
        got = world.ask("GET", {"QUERY_STRING": query, "HTTP_AUTHORIZATION": bearer})
        world.check_grant(got, service, scope)
        form = {"grant_type": "password", "password": world.token, "service": service}
        body = urlencode(form | {"scope": scope}).encode()
        environ = {"CONTENT_TYPE": FORM, "CONTENT_LENGTH": str(len(body))}
        posted = world.ask("POST", environ, body)
        world.check_grant(posted, service, scope)
        assert posted.status == got.status
        assert got.status in (200, 403)
