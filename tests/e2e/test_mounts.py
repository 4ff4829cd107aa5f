"""Cross-repository mounts: a layer that the registry has elsewhere is not sent again.

Mounting needs pull on the source: the client asks for both in one request (Distribution
docs/content/spec/auth/scope.md), and not to be granted the source must not stop the push.
"""

from __future__ import annotations

from typing import Any

from tests.e2e.clients import parsed, succeeded
from tests.e2e.images import Image
from tests.e2e.registry import Registry
from tests.e2e.service_log import decisions
from tests.service import Service


def test_mounts_a_layer_of_a_repository_that_the_plan_allows(service, registry, new_skopeo, image):
    token = service.authority.token("builder")
    skopeo = new_skopeo(token)
    succeeded(skopeo.push(image, "team/mount-source"))
    succeeded(skopeo.push(image, "team/mounted"))
    assert _mount(registry, "team/mounted", "team/mount-source", image) == "201"
    assert _both_granted(service, token, "team/mounted", "team/mount-source")
    assert parsed(skopeo.inspect("team/mounted"))["Layers"] == [image.layer]


def test_pushes_although_the_mount_source_is_not_allowed(service, registry, new_skopeo, image):
    skopeo = new_skopeo(service.authority.token("supplier"))
    succeeded(skopeo.push(image, "supplies/mount-source"))
    token = service.authority.token("builder")
    skopeo.use_password(token)
    succeeded(skopeo.push(image, "team/not-mounted"))
    partial = [line for line in decisions(service, token) if len(line["requested"]) == 2]
    assert partial, "skopeo did not ask for the source"
    for line in partial:
        assert (_names(line["granted"]), line["refusal"]) == ({"team/not-mounted"}, "")
    assert _mount(registry, "team/not-mounted", "supplies/mount-source", image) != "201"
    assert parsed(skopeo.inspect("team/not-mounted"))["Layers"] == [image.layer]


def _mount(registry: Registry, target: str, source: str, image: Image) -> str | None:
    """The status that the registry gave to a mount, or None if nobody tried."""
    wanted = f"POST /v2/{target}/blobs/uploads/?"
    for line in registry.log().splitlines():
        _, found, rest = line.partition(wanted)
        query, _, answer = rest.partition(" HTTP/1.1")
        if found and image.layer[7:] in query and source.replace("/", "%2F") in query:
            return answer.split()[1]
    return None


def _both_granted(service: Service, token: str, *repositories: str) -> bool:
    return any(_names(line["granted"]) == {*repositories} for line in decisions(service, token))


def _names(access: list[dict[str, Any]]) -> set[str]:
    return {entry["name"] for entry in access}
