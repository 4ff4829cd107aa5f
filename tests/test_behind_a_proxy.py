"""Behind a proxy that ends TLS: what the proxy says counts, what others say does not."""

from __future__ import annotations

import http.client
import json
import re
import time
from urllib.parse import urlencode

import pytest

from tests.service import SERVICE, Service

HOST = "tokens.example.com"
PROXY, STRANGER = "127.0.0.2", "127.0.0.1"
HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}
ID = "0123456789abcdef-from-the-proxy"
TOKEN = f"/token?service={SERVICE}&scope=repository:stella-ops/public/app:pull"
PASSWORD = "a password of the tests"


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    settings = {
        "WEB_CONCURRENCY": "1",
        "REGISTRY_TOKEN_TRUSTED_PROXIES": PROXY,
        "REGISTRY_TOKEN_ALLOWED_HOSTS": f"{HOST},127.0.0.1",
        "REGISTRY_TOKEN_REGISTRY_REALM": f"https://{HOST}/token",
        "DJANGO_SUPERUSER_PASSWORD": PASSWORD,
    }
    with Service(tmp_path_factory.mktemp("proxied"), settings) as service:
        service.manage("createsuperuser", "--no-input", "--username=root", "--email=")
        yield service


def ask(service, path, headers=None, *, body=None, sender=PROXY):
    """A request from an address; status, header fields, cookies."""
    connection = http.client.HTTPConnection(
        "127.0.0.1", service.port, timeout=20, source_address=(sender, 0)
    )
    try:
        connection.request("POST" if body else "GET", path, body, {"Host": HOST} | (headers or {}))
        response = connection.getresponse()
        response.read()
        return response.status, dict(response.getheaders()), response.msg.get_all("Set-Cookie", [])
    finally:
        connection.close()


def log_in(service):
    """The answer to a log-in to the admin by https."""
    [cookie] = ask(service, "/admin/login/", HTTPS)[2]
    name, _, value = cookie.partition(";")[0].partition("=")
    headers = HTTPS | {
        "Cookie": f"{name}={value}",
        "Referer": f"https://{HOST}/admin/login/",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    form = {"username": "root", "password": PASSWORD, "csrfmiddlewaretoken": value}
    return ask(service, "/admin/login/", headers, body=urlencode(form | {"next": "/admin/"}))


def last_line(service):
    time.sleep(0.1)
    return json.loads(service.output.read_text().splitlines()[-1])


def bearer(service):
    return {"Authorization": f"Bearer {service.authority.token('community')}"}


def test_the_admin_demands_https(proxied):
    status, fields, cookies = ask(proxied, "/admin/login/?next=/admin/")
    assert status == 301
    assert fields["Location"] == f"https://{HOST}/admin/login/?next=/admin/"
    assert cookies == []
    assert ask(proxied, "/admin/login/", {"X-Forwarded-Proto": "http"})[0] == 301


def test_the_admin_is_protected_as_a_browser_can(proxied):
    status, fields, _ = ask(proxied, "/admin/login/", HTTPS)
    assert status == 200
    assert fields["Strict-Transport-Security"] == "max-age=31536000"
    assert fields["X-Frame-Options"] == "DENY"
    assert fields["Referrer-Policy"] == "same-origin"
    assert fields["Cross-Origin-Opener-Policy"] == "same-origin"
    assert fields["X-Content-Type-Options"] == "nosniff"


def test_every_cookie_is_for_https_and_for_this_site_and_for_no_script(proxied):
    status, fields, cookies = log_in(proxied)
    assert (status, fields["Location"]) == (302, "/admin/")
    assert {cookie.partition("=")[0] for cookie in cookies} == {"sessionid", "csrftoken"}
    for cookie in cookies:
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= set(re.split("; ?", cookie)), cookie


def test_a_form_of_another_site_is_refused(proxied):
    [cookie] = ask(proxied, "/admin/login/", HTTPS)[2]
    name, _, value = cookie.partition(";")[0].partition("=")
    headers = HTTPS | {"Cookie": f"{name}={value}", "Referer": "https://evil.example.com/"}
    headers["Content-Type"] = "application/x-www-form-urlencoded"
    form = urlencode({"username": "root", "password": PASSWORD, "csrfmiddlewaretoken": value})
    assert ask(proxied, "/admin/login/", headers, body=form)[0] == 403


def test_tokens_are_issued_without_a_redirect_to_the_client_that_the_proxy_names(proxied):
    assert ask(proxied, TOKEN, bearer(proxied))[0] == 200
    status, fields, cookies = ask(proxied, TOKEN, bearer(proxied) | HTTPS | {"X-Request-ID": ID})
    assert (status, fields["X-Request-ID"], cookies) == (200, ID, [])
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert last_line(proxied)["remote_address"] == "203.0.113.9"
    assert last_line(proxied)["request_id"] == ID


SPOOFED = HTTPS | {
    "X-Forwarded-Host": "evil.example.com",
    "X-Request-ID": ID,
    "Forwarded": "for=203.0.113.9;host=evil.example.com;proto=https",
    "X-Real-IP": "203.0.113.9",
}


def test_what_a_stranger_says_of_itself_does_not_count(proxied):
    status, fields, _ = ask(proxied, TOKEN, bearer(proxied) | SPOOFED, sender=STRANGER)
    assert status == 200
    assert fields["X-Request-ID"] != ID
    assert last_line(proxied)["remote_address"] == STRANGER
    assert last_line(proxied)["request_id"] == fields["X-Request-ID"]
    status, fields, cookies = ask(proxied, "/admin/login/", SPOOFED, sender=STRANGER)
    assert (status, fields["Location"]) == (301, f"https://{HOST}/admin/login/")
    assert cookies == []


NOT_BELIEVED = {
    "X-Forwarded-Host": "evil.example.com",
    "X-Host": "evil.example.com",
    "X-Forwarded-Server": "evil.example.com",
    "X-Forwarded-Port": "8443",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Ssl": "on",
    "X-Forwarded-Protocol": "ssl",
    "X-Url-Scheme": "https",
    "Front-End-Https": "on",
    "Forwarded": "host=evil.example.com;proto=https",
    "X_Forwarded_Proto": "https",
    "Script-Name": "/evil",
}


@pytest.mark.parametrize("name", NOT_BELIEVED)
@pytest.mark.parametrize("sender", [PROXY, STRANGER], ids=["proxy", "stranger"])
def test_no_other_header_changes_host_or_scheme(proxied, name, sender):
    status, fields, _ = ask(proxied, "/admin/login/", {name: NOT_BELIEVED[name]}, sender=sender)
    assert (status, fields["Location"]) == (301, f"https://{HOST}/admin/login/")


@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Host", "Forwarded"])
def test_a_host_that_is_not_ours_is_refused_whatever_else_is_said(proxied, header):
    said = {"Host": "evil.example.com", header: f"host={HOST}" if header == "Forwarded" else HOST}
    assert ask(proxied, TOKEN, bearer(proxied) | HTTPS | said)[0] == 400


ADDRESSES = {
    "a list that the client began": ("198.51.100.1, 203.0.113.9", "203.0.113.9"),
    "the proxy's own address": (f"203.0.113.9, {PROXY}", "203.0.113.9"),
    "nonsense": ("203.0.113.9, x", PROXY),
    "nothing": ("", PROXY),
}


@pytest.mark.parametrize(("forwarded", "expected"), ADDRESSES.values(), ids=ADDRESSES)
def test_the_clients_address_is_the_last_that_the_proxy_has_seen(proxied, forwarded, expected):
    ask(proxied, TOKEN, bearer(proxied) | {"X-Forwarded-For": forwarded})
    assert last_line(proxied)["remote_address"] == expected


def test_a_header_spelt_with_underscores_is_not_taken_for_the_proxys(proxied):
    ask(proxied, TOKEN, bearer(proxied) | {"X_Forwarded_For": "203.0.113.9"})
    assert last_line(proxied)["remote_address"] == PROXY
