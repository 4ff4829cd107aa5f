"""Image references, as in docker pull: which registry and repository they name. Pure.

Grammar: Distribution, docs/content/spec/_index.md and its `reference` package; docker adds
docker.io and library/ where an image names no registry.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from plans.patterns import is_repository_name

DOCKER_HUB = "docker.io"

_REFERENCE = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9._:/-]*?)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?(?:@[a-z0-9+._-]+:[0-9a-fA-F]{32,})?"
)
_SCHEME = re.compile(r"\A(?:docker|https?)://")


class Image(NamedTuple):
    """An image's registry and repository; tag and digest make no difference to what is asked."""

    host: str
    repository: str


def read_image(reference: str) -> Image | None:
    """The image that a reference names, or None when it is no reference."""
    match = _REFERENCE.fullmatch(without_scheme(reference))
    if match is None:
        return None
    first, slash, rest = match["name"].partition("/")
    has_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
    host, repository = (first, rest) if has_host else (DOCKER_HUB, match["name"])
    if host == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    # Hosts may have capitals, repositories none.
    is_repository = is_repository_name(repository) and repository == repository.lower()
    return Image(host, repository) if is_repository and ":" not in repository else None


def without_scheme(text: str) -> str:
    """A reference or a host without docker:// or https:// in front."""
    return _SCHEME.sub("", text)
