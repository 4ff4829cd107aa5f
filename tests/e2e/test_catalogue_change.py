"""A changed catalogue counts from the very next request, in every worker."""

from __future__ import annotations

import pytest
import yaml

from tests.e2e.asking import get_token
from tests.e2e.clients import parsed, succeeded

SCOPE = "repository:shrinking/app:pull,push"


@pytest.fixture
def load(service, tmp_path):
    def load(actions, revoked=()):
        rules = [{"repositories": "shrinking/**", "actions": actions}]
        document = {
            "plans": [{"name": "shrinking", "rules": rules}],
            "revoked_licences": [{"licence": licence} for licence in revoked],
        }
        path = tmp_path / "shrinking.yaml"
        path.write_text(yaml.safe_dump(document))
        service.manage("load_catalogue", str(path))

    return load


def test_a_narrowed_plan_ends_pushes_at_once(service, registry, new_skopeo, image, load):
    load(["pull", "push"])
    token = service.authority.token("shrinking")
    skopeo = new_skopeo(token)
    succeeded(skopeo.push(image, "shrinking/app"))
    # Both workers hold the wide plan in memory.
    assert {get_token(service, token, SCOPE)[1]["scope"] for _ in range(8)} == {SCOPE}
    load(["pull"])
    refused = skopeo.push(image, "shrinking/new")
    assert refused.returncode == 1
    assert not registry.holds("shrinking/new")
    narrowed = "repository:shrinking/app:pull"
    assert {get_token(service, token, SCOPE)[1]["scope"] for _ in range(8)} == {narrowed}
    assert parsed(skopeo.inspect("shrinking/app"))["Digest"] == image.manifest


def test_a_licence_revoked_a_moment_ago_is_refused(service, new_skopeo, image, load):
    load(["pull", "push"])
    skopeo = new_skopeo(service.authority.token("shrinking", "LIC-0099"))
    succeeded(skopeo.push(image, "shrinking/revoked"))
    load(["pull", "push"], revoked=["LIC-0099"])
    refused = skopeo.inspect("shrinking/revoked")
    assert refused.returncode == 1
    assert "403 (Forbidden)" in refused.stderr
