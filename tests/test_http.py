"""What every answer has: JSON errors, a request id, the right client address."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from issuances.models import Issuance

PULL = "repository:stella-ops/public/app:pull"


@pytest.mark.parametrize("path", ["/", "/nothing", "/token/x", "/v2/", "/jwks/"])
def test_an_unknown_path_is_404_in_json(client, path):
    response = client.get(path)
    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "UNSUPPORTED"
    assert response["X-Request-ID"]
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("host", ["evil.example.com", "bad host", "a\rb"], ids=ascii)
def test_a_host_that_is_not_ours_is_400_in_json(client, host):
    response = client.get("/token", headers={"Host": host})
    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "UNSUPPORTED"
    assert response["X-Request-ID"]


@pytest.mark.django_db
def test_an_error_of_ours_is_500_in_json(client, settings):
    client.raise_request_exception = False
    settings.REGISTRY_SERVICES = None  # no configuration can do this
    settings.PLANS_ANONYMOUS = "x"
    response = client.get("/token?service=x")
    assert response.status_code == 500
    assert response.json()["errors"][0]["code"] == "UNKNOWN"
    assert "NoneType" not in response.content.decode()
    assert response["X-Request-ID"]


def test_each_answer_has_an_id_of_its_own(client):
    ids = {client.get("/healthz")["X-Request-ID"] for _ in range(10)}
    assert len(ids) == 10


PROXIES = {
    "nobody is trusted": ([], "203.0.113.9", "127.0.0.1"),
    "the last address": (["127.0.0.0/8"], "198.51.100.1, 203.0.113.9", "203.0.113.9"),
    "behind two proxies": (
        ["127.0.0.1/32", "10.0.0.0/8"],
        "198.51.100.1, 203.0.113.9, 10.1.2.3",
        "203.0.113.9",
    ),
    "nonsense": (["127.0.0.1/32"], "203.0.113.9, unknown", "127.0.0.1"),
    "nothing": (["127.0.0.1/32"], "", "127.0.0.1"),
    "an IPv6 zone": (["127.0.0.1/32"], "fe80::1%" + "A" * 3000, "127.0.0.1"),
    "IPv6": (["127.0.0.1/32"], "2001:db8::1", "2001:db8::1"),
}


@pytest.mark.parametrize(("trusted", "forwarded", "expected"), PROXIES.values(), ids=PROXIES)
@pytest.mark.usefixtures("catalogue")
def test_the_client_address_is_what_trusted_proxies_say(
    authority, get_token, settings, trusted, forwarded, expected
):
    settings.TRUSTED_PROXIES = tuple(map(ip_network, trusted))
    headers = {"X-Forwarded-For": forwarded, "X-Request-ID": "from-the-proxy-1"}
    response = get_token(authority.token("community"), PULL, headers=headers)
    row = Issuance.objects.get()
    assert row.remote_address == expected
    assert row.request_id == response["X-Request-ID"]
    assert (row.request_id == "from-the-proxy-1") == bool(trusted)


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\nb", "short"], ids=ascii)
def test_an_id_that_is_none_is_replaced(client, settings, given):
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.1/32"),)
    assert client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"] != given
