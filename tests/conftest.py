"""The cast: an Authority, the example catalogue, and ways to ask for a token."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import jwt
import pytest
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.test import Client

from registry_token.config_values import BASE_DIR
from tests.authority import Authority
from tests.service import Service
from tests.sso_authority import CLIENT, SsoAuthority

SERVICE = "registry.example.com"
EXAMPLE = BASE_DIR / "etc" / "catalogue.example.yaml"


@pytest.fixture(scope="session")
def authority() -> Authority:
    """The Authority whose key file the settings name."""
    authority = Authority()
    authority.publish(str(settings.AUTHORITY_JWKS))
    return authority


@pytest.fixture
def catalogue(db: None) -> None:
    """The example catalogue, through the real loader."""
    call_command("load_catalogue", EXAMPLE, verbosity=0, stdout=StringIO())


def basic(password: str, user: str = "anyone") -> str:
    """An Authorization header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture
def client_with(db: None) -> Callable[..., Client]:
    """A client of a person with the given permissions."""

    def made(*codenames: str, is_staff: bool = True) -> Client:
        user = get_user_model().objects.create_user("bob", password="b", is_staff=is_staff)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        return client

    return made


@pytest.fixture
def sso(settings: Any) -> Iterator[SsoAuthority]:
    """The Authority, set up for single sign-on, with Alice among its registry admins."""
    with SsoAuthority() as sso:
        settings.AUTHORITY_ISSUER, settings.AUTHORITY_JWKS = sso.url, None
        settings.SSO_CLIENT_ID = CLIENT
        settings.SSO_GROUPS = (("admins", "administrator"), ("support", "viewer"))
        sso.person["groups"] = ["admins", "everybody"]
        yield sso


@pytest.fixture
def get_token(client: Client) -> Callable[..., Any]:
    """GET /token with a Bearer token, or with the given `authorization`."""

    def get(token: str | None, *scopes: str, service: str | None = SERVICE, **extra: Any) -> Any:
        query: dict[str, Any] = {"scope": list(scopes)}
        if service is not None:
            query["service"] = service
        headers = dict(extra.pop("headers", {}))
        if token is not None:
            headers.setdefault("Authorization", f"Bearer {token}")
        return client.get(extra.pop("path", "/token"), query, headers=headers, **extra)

    return get


@pytest.fixture
def post_token(client: Client) -> Callable[..., Any]:
    """POST /token with a form."""

    def post(**form: Any) -> Any:
        headers = form.pop("headers", {})
        return client.post(
            form.pop("path", "/token"),
            _encoded({"service": SERVICE} | form),
            content_type="application/x-www-form-urlencoded",
            headers=headers,
        )

    return post


def _encoded(form: dict[str, Any]) -> str:
    from urllib.parse import urlencode

    return urlencode({name: value for name, value in form.items() if value is not None}, doseq=True)


@pytest.fixture
def open_token(client: Client) -> Callable[[Any], dict[str, Any]]:
    """The claims of an answer's token, verified with /jwks as a registry does."""

    def opened(response: Any, service: str = SERVICE) -> dict[str, Any]:
        assert response.status_code == 200, response.content
        keys = jwt.PyJWKSet.from_dict(client.get("/jwks").json())
        token = response.json()["token"]
        key = keys[jwt.get_unverified_header(token)["kid"]]
        claims: dict[str, Any] = jwt.decode(
            token, key, algorithms=["RS256"], audience=service, issuer=settings.SIGNING_ISSUER
        )
        return claims

    return opened


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service as shipped: gunicorn with its configuration file, on a database of its own."""
    folder: Path = tmp_path_factory.mktemp("service")
    with Service(folder) as service:
        yield service
