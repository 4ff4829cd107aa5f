"""What a plan allows works from end to end: push, pull, tags, inspection, deletion."""

from __future__ import annotations

from tests.e2e.clients import parsed, succeeded
from tests.e2e.images import digest


def test_pulls_exactly_what_was_pushed(service, new_skopeo, image, tmp_path):
    skopeo = new_skopeo(service.authority.token("builder"))
    succeeded(skopeo.push(image, "team/pushed"))
    succeeded(skopeo.pull("team/pushed", tmp_path / "pulled"))
    pulled = {
        digest(path.read_bytes())
        for path in (tmp_path / "pulled").iterdir()
        if path.name != "version"
    }
    assert pulled == image.digests


def test_pulls_with_a_plan_that_only_allows_pull(service, new_skopeo, image, tmp_path):
    succeeded(new_skopeo(service.authority.token("builder")).push(image, "team/read"))
    reader = new_skopeo(service.authority.token("reader"))
    succeeded(reader.pull("team/read", tmp_path / "pulled"))
    assert digest((tmp_path / "pulled/manifest.json").read_bytes()) == image.manifest


def test_lists_tags_and_inspects(service, new_skopeo, image):
    succeeded(new_skopeo(service.authority.token("builder")).push(image, "team/listed"))
    reader = new_skopeo(service.authority.token("reader"))
    assert parsed(reader.list_tags("team/listed"))["Tags"] == ["1"]
    inspected = parsed(reader.inspect("team/listed"))
    assert (inspected["Digest"], inspected["Layers"]) == (image.manifest, [image.layer])


def test_deletes_with_a_plan_that_allows_it(service, new_skopeo, image):
    janitor = new_skopeo(service.authority.token("janitor"))
    succeeded(janitor.push(image, "team/deleted"))
    succeeded(janitor.delete("team/deleted"))
    assert "manifest unknown" in janitor.inspect("team/deleted").stderr


def test_does_not_delete_with_a_plan_that_allows_push(service, new_skopeo, image):
    builder = new_skopeo(service.authority.token("builder"))
    succeeded(builder.push(image, "team/kept"))
    refused = builder.delete("team/kept")
    assert refused.returncode == 1
    assert "401 Unauthorized" in refused.stderr
    assert parsed(builder.inspect("team/kept"))["Digest"] == image.manifest


def test_takes_a_token_of_nearly_16_kib_as_password(service, new_skopeo, image):
    token = service.authority.token("builder", padding="x" * 11_500)
    assert 15_000 < len(token) <= 16 * 1024
    skopeo = new_skopeo(token)
    succeeded(skopeo.push(image, "team/long-token"))
    assert parsed(skopeo.inspect("team/long-token"))["Digest"] == image.manifest
