"""An identity token in the auth file: the client POSTs grant_type=refresh_token.

Distribution docs/content/spec/auth/oauth.md; skopeo and podman send the form chunked, without a
Content-Length, and repeat `scope`.
"""

from __future__ import annotations

from tests.authority import Authority
from tests.e2e.clients import parsed, succeeded
from tests.e2e.service_log import decisions, how_asked


def test_pushes_and_pulls_with_an_identity_token(service, new_skopeo, image, tmp_path):
    token = service.authority.token("builder")
    skopeo = new_skopeo()
    skopeo.use_identity_token(token)
    succeeded(skopeo.push(image, "team/identity"))
    succeeded(skopeo.pull("team/identity", tmp_path / "pulled"))
    assert parsed(skopeo.inspect("team/identity"))["Digest"] == image.manifest
    made = decisions(service, token)
    assert len(made) >= 3
    asked = {how_asked(service, line["request_id"]) for line in made}
    assert asked == {("POST", "chunked", "application/x-www-form-urlencoded")}


def test_mounts_with_an_identity_token(service, registry, new_skopeo, image):
    token = service.authority.token("builder")
    skopeo = new_skopeo()
    skopeo.use_identity_token(token)
    succeeded(skopeo.push(image, "team/identity-source"))
    succeeded(skopeo.push(image, "team/identity-mounted"))
    both = {"team/identity-source", "team/identity-mounted"}
    granted = [{entry["name"] for entry in line["granted"]} for line in decisions(service, token)]
    assert both in granted, "of the repeated scope parameters all count"


def test_refuses_an_identity_token_of_another_authority(registry, new_skopeo, image):
    skopeo = new_skopeo()
    skopeo.use_identity_token(Authority().token("builder"))
    refused = skopeo.push(image, "team/identity-refused")
    assert refused.returncode == 1
    assert "unauthorized" in refused.stderr
    assert not registry.holds("team/identity-refused")


def test_refuses_an_identity_token_with_a_revoked_licence(service, registry, new_skopeo, image):
    token = service.authority.token("builder", "LIC-0013")
    skopeo = new_skopeo()
    skopeo.use_identity_token(token)
    refused = skopeo.push(image, "team/identity-revoked")
    assert refused.returncode == 1
    assert "403 (Forbidden)" in refused.stderr
    assert not registry.holds("team/identity-revoked")
    assert [line["refusal"] for line in decisions(service, token)] == ["licence_revoked"]
