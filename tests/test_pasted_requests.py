"""What people paste: commands, images and scopes become what the client would ask for."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_token.image_references import Image, read_image
from registry_token.pasted_requests import Reading, Unreadable, read_pasted

DIGEST = "sha256:" + "0123456789abcdef" * 4

IMAGES = {
    "registry.example.com/acme/app": ("registry.example.com", "acme/app"),
    "registry.example.com/acme/app:1.2": ("registry.example.com", "acme/app"),
    f"registry.example.com/acme/app@{DIGEST}": ("registry.example.com", "acme/app"),
    f"registry.example.com/acme/app:1.2@{DIGEST}": ("registry.example.com", "acme/app"),
    "registry.example.com:5000/acme/app:v1": ("registry.example.com:5000", "acme/app"),
    "localhost/app": ("localhost", "app"),
    "localhost:5000/a/b/c": ("localhost:5000", "a/b/c"),
    "Registry.Example.com/a": ("Registry.Example.com", "a"),
    "10.0.0.1:5000/a": ("10.0.0.1:5000", "a"),
    "ubuntu": ("docker.io", "library/ubuntu"),
    "ubuntu:22.04": ("docker.io", "library/ubuntu"),
    "acme/app": ("docker.io", "acme/app"),
    "docker.io/ubuntu": ("docker.io", "library/ubuntu"),
    "docker://registry.example.com/acme/app:1": ("registry.example.com", "acme/app"),
    "https://registry.example.com/acme/app": ("registry.example.com", "acme/app"),
    "registry.example.com/a__b/c--d/e.f": ("registry.example.com", "a__b/c--d/e.f"),
}


@pytest.mark.parametrize(("text", "image"), IMAGES.items(), ids=IMAGES)
def test_reads_an_image(text, image):
    assert read_image(text) == Image(*image)


NO_IMAGES = ["", "/", "a//b", "a/", "Acme/app", "a b", "registry.example.com/Acme", "a:b:c", "ä"]
NO_IMAGES += ["a@sha256:12", "a/b:c/d", "a/b:", "registry.example.com/", "..", "-a", "a" * 300]


@pytest.mark.parametrize("text", NO_IMAGES, ids=ascii)
def test_takes_nothing_else_for_an_image(text):
    assert read_image(text) is None


HOST = "registry.example.com"
PULL, PUSH = "repository:acme/app:pull", "repository:acme/app:pull,push"
PASTED = {
    "docker pull": (f"docker pull {HOST}/acme/app:1.2", [(HOST, PULL)]),
    "docker push": (f"docker push {HOST}/acme/app:1.2", [(HOST, PUSH)]),
    "podman pull": (f"podman pull {HOST}/acme/app", [(HOST, PULL)]),
    "a port": (f"docker pull {HOST}:5000/acme/app", [(f"{HOST}:5000", PULL)]),
    "Docker Hub": ("docker pull acme/app", [("docker.io", PULL)]),
    "an image alone": (f"{HOST}/acme/app:1.2", [(HOST, PULL)]),
    "a prompt": (f"$ sudo docker pull {HOST}/acme/app", [(HOST, PULL)]),
    "a path": (f"/usr/bin/docker pull {HOST}/acme/app", [(HOST, PULL)]),
    "a variable": (f"DOCKER_CONFIG=/x docker pull {HOST}/acme/app", [(HOST, PULL)]),
    "quotes": (f"docker pull '{HOST}/acme/app'", [(HOST, PULL)]),
    "a quote too many": (f"docker pull {HOST}/acme/app '", None),
    "options": (f"docker pull -q --platform linux/amd64 {HOST}/acme/app", [(HOST, PULL)]),
    "options before the command": (f"docker --config /x pull {HOST}/acme/app", [(HOST, PULL)]),
    "an unknown option": (f"docker pull --new value {HOST}/acme/app", [(HOST, PULL)]),
    "an option with =": (f"podman pull --tls-verify=false {HOST}/acme/app", [(HOST, PULL)]),
    "options behind": (f"docker pull {HOST}/acme/app --quiet", [(HOST, PULL)]),
    "all tags": (f"docker pull -a {HOST}/acme/app", [(HOST, PULL)]),
    "run": (f"docker run --rm -it -v /a:/b -p 80:80 {HOST}/acme/app sh -c 'ls'", [(HOST, PULL)]),
    "image pull": (f"docker image pull {HOST}/acme/app", [(HOST, PULL)]),
    "manifest inspect": (f"docker manifest inspect {HOST}/acme/app", [(HOST, PULL)]),
    "imagetools": (f"docker buildx imagetools inspect {HOST}/acme/app", [(HOST, PULL)]),
    "crane manifest": (f"crane manifest {HOST}/acme/app", [(HOST, PULL)]),
    "oras push": (f"oras push {HOST}/acme/app:1 file.txt other/file", [(HOST, PUSH)]),
    "podman push elsewhere": (f"podman push localhost/x {HOST}/acme/app", [(HOST, PUSH)]),
    "skopeo copy": (
        f"skopeo copy docker://{HOST}/acme/app:1 docker://mirror.example.com/acme/app:1",
        [(HOST, PULL), ("mirror.example.com", PUSH)],
    ),
    "skopeo copy to a folder": (f"skopeo copy docker://{HOST}/acme/app dir:/tmp/x", [(HOST, PULL)]),
    "skopeo delete": (
        f"skopeo delete docker://{HOST}/acme/app:1",
        [(HOST, "repository:acme/app:*")],
    ),
    "docker login": (f"docker login -u me {HOST}", [(HOST, "")]),
    "docker login with a URL": (f"docker login https://{HOST}/v2/", [(HOST, "")]),
    "docker login to the Hub": ("docker login", [("docker.io", "")]),
    "a scope": (PULL, [("", PULL)]),
    "scopes on a line": (f"{PULL} registry:catalog:*", [("", PULL), ("", "registry:catalog:*")]),
    "a scope with a class": ("repository(plugin):a/b:pull", [("", "repository(plugin):a/b:pull")]),
    "a scope without a name": ("repository:pull", [("", "repository:pull")]),
    "a scope of another type": ("cnab:a/b:pull,push", [("", "cnab:a/b:pull,push")]),
    "lines": (f"\n{PULL}\n\n  docker pull {HOST}/acme/app\n", [("", PULL), (HOST, PULL)]),
    "a continued line": (f"docker pull \\\n  {HOST}/acme/app", [(HOST, PULL)]),
    "nothing": (" \n", []),
}


@pytest.mark.parametrize(("text", "readings"), PASTED.values(), ids=PASTED)
def test_reads_what_was_pasted(text, readings):
    if readings is None:
        with pytest.raises(Unreadable):
            read_pasted(text)
    else:
        assert read_pasted(text) == [Reading(*reading) for reading in readings]


UNREADABLE = {
    "dcoker pull acme/app": "neither a command",
    "docker": "only pull, push",
    "docker ps": "only pull, push",
    "docker pull": "names no image",
    "docker pull Acme/App": "'Acme/App' in 'docker pull Acme/App' is no image",
    "$": "neither a command",
    "two words": "neither a command",
    "ÄPFEL": "neither a command",
}


@pytest.mark.parametrize(("text", "message"), UNREADABLE.items(), ids=UNREADABLE)
def test_says_which_line_it_cannot_read(text, message):
    with pytest.raises(Unreadable) as caught:
        read_pasted(f"docker pull acme/app\n{text}")
    assert message in str(caught.value)
    assert text in str(caught.value)


words = st.one_of(
    st.sampled_from(["docker", "pull", "copy", "run", "-v", "--", ":", "@", "'", "\\", "$", "a/b"]),
    st.text(),
)


@given(st.lists(words).map(" ".join))
def test_any_text_is_read_or_unreadable(text):
    with contextlib.suppress(Unreadable):
        read_pasted(text)
