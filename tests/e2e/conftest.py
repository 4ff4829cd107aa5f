"""The service, a real registry that trusts it, and real clients; twice: with x5c and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.clients import Skopeo
from tests.e2e.images import Image, write_image
from tests.e2e.registry import Registry, require
from tests.e2e.service_log import ACCESS_LOG
from tests.service import Service

CATALOGUE = Path(__file__).parent / "catalogue.yaml"


@pytest.fixture(scope="session", params=["x5c", "libtrust"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """The service, in the two ways in which a registry 2.x can trust its tokens."""
    folder = tmp_path_factory.mktemp(f"service-{request.param}")
    service = _with_certificate(folder) if request.param == "x5c" else _with_libtrust_id(folder)
    with service:
        service.manage("load_catalogue", str(CATALOGUE))
        yield service


def _with_certificate(folder: Path) -> Service:
    key, certificate = folder / "x5c.key", folder / "x5c.crt"
    service = Service(
        folder,
        {
            "REGISTRY_TOKEN_SIGNING_KEY": str(key),
            "REGISTRY_TOKEN_SIGNING_CERTIFICATE": str(certificate),
        }
        | ACCESS_LOG,
    )
    paths = ("--out", str(key), "--certificate", str(certificate))
    service.manage("generate_signing_key", *paths)
    return service


def _with_libtrust_id(folder: Path) -> Service:
    return Service(folder, {"REGISTRY_TOKEN_SIGNING_KID": "libtrust"} | ACCESS_LOG)


@pytest.fixture(scope="session")
def registry(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), service) as registry:
        yield registry


@pytest.fixture
def new_skopeo(registry: Registry, tmp_path: Path) -> Callable[..., Skopeo]:
    """skopeo of somebody who has this token; nobody's without."""
    require("skopeo")

    def new(token: str | None = None) -> Skopeo:
        folder = tmp_path / f"skopeo-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        skopeo = Skopeo(folder, registry)
        if token is not None:
            skopeo.use_password(token)
        return skopeo

    return new


@pytest.fixture
def image(tmp_path: Path) -> Image:
    return write_image(tmp_path / "image")
