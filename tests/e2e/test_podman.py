"""podman, where it runs: login, push, pull. It stores images and runs nothing."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.e2e.clients import Podman, succeeded
from tests.e2e.images import Image
from tests.e2e.service_log import decisions, how_asked


@pytest.fixture
def podman(registry, image):
    """podman with the image in its store, or a skip with what it says."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed; apt-get install podman")
    with tempfile.TemporaryDirectory(prefix="podman-") as folder:
        podman = Podman(Path(folder), registry)
        loaded = podman.run("pull", image.reference)
        if loaded.returncode:
            pytest.skip(f"podman does not run here: {loaded.stderr.strip()}")
        yield podman
        podman.run("system", "migrate")  # ends the process that podman without root leaves behind


def _image_id(image: Image) -> str:
    return image.config.removeprefix("sha256:")


def test_podman_pushes_and_pulls_after_its_login(service, podman, image):
    token = service.authority.token("builder")
    assert "Login Succeeded!" in succeeded(podman.log_in(token))
    succeeded(podman.push(_image_id(image), "team/podman"))
    succeeded(podman.run("rmi", "--all", "--force"))
    assert succeeded(podman.pull("team/podman")).strip() == _image_id(image)


def test_podman_pushes_and_pulls_with_an_identity_token(service, podman, image):
    token = service.authority.token("builder")
    podman.use_identity_token(token)
    succeeded(podman.push(_image_id(image), "team/podman-identity"))
    succeeded(podman.run("rmi", "--all", "--force"))
    assert succeeded(podman.pull("team/podman-identity")).strip() == _image_id(image)
    asked = {how_asked(service, line["request_id"])[:2] for line in decisions(service, token)}
    assert asked == {("POST", "chunked")}


def test_refuses_the_login_of_podman_with_a_revoked_licence(service, podman):
    token = service.authority.token("builder", "LIC-0013")
    refused = podman.log_in(token)
    assert refused.returncode != 0
    assert "403 (Forbidden)" in refused.stderr
    assert [line["refusal"] for line in decisions(service, token)] == ["licence_revoked"]


def test_refuses_a_push_of_podman_outside_the_plan(service, registry, podman, image):
    token = service.authority.token("supplier")
    podman.use_password(token)
    refused = podman.push(_image_id(image), "team/podman-refused")
    assert refused.returncode != 0
    assert {line["refusal"] for line in decisions(service, token)} == {"nothing_granted"}
    assert not registry.holds("team/podman-refused")
