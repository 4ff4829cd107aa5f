"""Tiny container images, written by hand: OCI image-spec, image-layout.md."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import secrets
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TAG = "image"
_MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
_CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
_LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Image:
    """An image in a layout folder, and the digests by which a registry knows its parts."""

    folder: Path
    manifest: str
    config: str
    layer: str

    @property
    def reference(self) -> str:
        """As skopeo and podman name it."""
        return f"oci:{self.folder}:{TAG}"

    @property
    def digests(self) -> set[str]:
        return {self.manifest, self.config, self.layer}


def write_image(folder: Path) -> Image:
    """A new image of one layer. Its content is random: nobody has ever seen its digests."""
    layer_tar = _layer(secrets.token_bytes(64))
    layer = _add_blob(folder, gzip.compress(layer_tar, mtime=0), _LAYER_TYPE)
    config = _add_blob(folder, _json(_configuration(layer_tar)), _CONFIG_TYPE)
    document = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST_TYPE,
        "config": config,
        "layers": [layer],
    }
    manifest = _add_blob(folder, _json(document), _MANIFEST_TYPE)
    named = manifest | {"annotations": {"org.opencontainers.image.ref.name": TAG}}
    (folder / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [named]}))
    (folder / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))
    return Image(folder, manifest["digest"], config["digest"], layer["digest"])


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _layer(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        member = tarfile.TarInfo("content")
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _configuration(layer_tar: bytes) -> dict[str, Any]:
    return {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {"made-for": "tests"}},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer_tar)]},
        "history": [{"created_by": "tests"}],
    }


def _add_blob(folder: Path, content: bytes, media_type: str) -> dict[str, Any]:
    """Write a blob; its descriptor."""
    algorithm, _, name = digest(content).partition(":")
    path = folder / "blobs" / algorithm / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"mediaType": media_type, "digest": digest(content), "size": len(content)}


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode()
