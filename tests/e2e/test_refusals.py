"""Pushes and pulls that are refused: the client fails, nothing is stored, the log says why."""

from __future__ import annotations

import pytest

from tests.authority import Authority
from tests.e2e.clients import succeeded
from tests.e2e.service_log import decisions


def test_stores_nothing_of_a_push_with_a_plan_that_only_allows_pull(
    service, registry, new_skopeo, image
):
    token = service.authority.token("reader")
    refused = new_skopeo(token).push(image, "team/read-only")
    assert refused.returncode == 1
    assert "requested access to the resource is denied" in refused.stderr
    assert not registry.holds("team/read-only")
    # Partly granted: the registry, not the service, says no to the rest.
    granted = {"type": "repository", "name": "team/read-only", "actions": ["pull"]}
    assert [line["granted"] for line in decisions(service, token)] != []
    assert all(line["granted"] == [granted] for line in decisions(service, token))


def test_stores_nothing_of_a_push_that_a_deny_rule_takes_away(service, registry, new_skopeo, image):
    refused = new_skopeo(service.authority.token("builder")).push(image, "team/sealed/app")
    assert refused.returncode == 1
    assert not registry.holds("team/sealed/app")


@pytest.mark.parametrize(
    ("claims", "refusal"),
    [
        pytest.param({"plan": "supplier"}, "nothing_granted", id="outside the plan"),
        pytest.param({"plan": "gold"}, "plan_unknown", id="unknown plan"),
        pytest.param({"scope": "openid"}, "insufficient_scope", id="missing scope"),
        pytest.param({"licence": "LIC-0013"}, "licence_revoked", id="revoked licence"),
    ],
)
def test_refuses_to_pull_what_others_may(service, new_skopeo, image, tmp_path, claims, refusal):
    skopeo = new_skopeo(service.authority.token("builder"))
    succeeded(skopeo.push(image, "team/for-others"))
    token = service.authority.token(**{"plan": "builder"} | claims)
    skopeo.use_password(token)
    refused = skopeo.pull("team/for-others", tmp_path / "pulled")
    assert refused.returncode == 1
    assert "403 (Forbidden)" in refused.stderr
    assert [line["refusal"] for line in decisions(service, token)] == [refusal]
    assert not (tmp_path / "pulled/manifest.json").exists()


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda authority: Authority().token("builder"), id="another Authority"),
        pytest.param(lambda authority: None, id="no credentials"),
    ],
)
def test_refuses_a_push_without_a_token_of_the_authority(
    service, registry, new_skopeo, image, make
):
    refused = new_skopeo(make(service.authority)).push(image, "team/strangers")
    assert refused.returncode == 1
    assert "unauthorized" in refused.stderr
    assert not registry.holds("team/strangers")
