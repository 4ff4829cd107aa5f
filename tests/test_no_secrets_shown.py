"""What commands, errors, debugging pages and objects show: never a secret of the set-up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from registry_token import config, key_files
from registry_token.access import parse_scopes
from registry_token.authority import authenticate
from registry_token.errors import Unauthenticated
from registry_token.signing import signing_key
from registry_token.token_request import from_form, from_query
from tests.authority import new_rsa_key
from tests.conftest import basic
from tests.planted import FIELDS, Planted, requests
from tests.planted_service import new_service, plant_key

LOOKS = (["show_config"], ["check", "--deploy"])
COMMANDS = (
    *LOOKS,
    ["explain", "--plan", "community", "repository:a:pull"],
    ["dump_catalogue"],
    ["registry_config"],
    ["migrate", "--check"],
)


@pytest.fixture
def planted():
    return Planted()


def shown(service, commands=LOOKS):
    """What each command prints."""
    output = {}
    for command in commands:
        done = service.manage(*command, check=False)
        output[command[0]] = output.get(command[0], "") + done.stdout + done.stderr
    return output


def test_no_command_shows_a_secret_of_a_good_set_up(tmp_path, planted):
    service = new_service(tmp_path, planted)
    service.manage("migrate", "--verbosity", "0")
    output = shown(service, COMMANDS)
    assert planted.found("".join(output.values())) == []
    assert "signing.key = " in output["show_config"]
    assert "plan_unknown" in output["explain"]
    password = planted.mark("password of a database out of reach")
    (tmp_path / "database_url").write_text(f"postgres://me:{password}@127.0.0.1:1/none")
    output = shown(service, (["show_config"], ["explain"]))
    assert planted.found("".join(output.values())) == []
    assert "postgres://me:********@127.0.0.1:1/none" in output["show_config"]
    assert "Connection refused" in output["explain"]


PEM = key_files.private_key_pem(new_rsa_key()).decode()
# What people write by mistake; the file of the configuration is the second half.
MISTAKES = {
    "a misspelt scheme": {"DATABASE_URL": "postgre://me:{}@db/x"},
    "a port that is none": {"DATABASE_URL": "postgres://me:{}@db:port/x"},
    "an open bracket": {"DATABASE_URL": "postgres://me:{}@[db/x"},
    "no name": {"DATABASE_URL": "postgres://me:{}@db/"},
    "a strange pool": {"DATABASE_URL": "postgres://me:{}@db/x?pool=maybe"},
    "a # in the password": {"DATABASE_URL": "postgres://me:{}#x@db/x"},
    "a / in the password": {"DATABASE_URL": "postgres://me:{}/x@db/x"},
    "the password alone": {"DATABASE_URL": "{}"},
    "a misspelt variable": {"SECRET_KYE": "{}"},
    "the secret for a path": {"SECRET_KEY_FILE": "/nowhere/x", "SECRET_KEY": "{}"},
    "the key for its path": {"SIGNING_KEY": PEM},
    "the key on one line": {"SIGNING_KEY": PEM.replace("\n", "\\n")},
    "the key for its certificate": {"SIGNING_CERTIFICATE": PEM},
    "the development key for its path": {"AUTHORITY_DEVELOPMENT_KEY": PEM},
    "a user in a URL": {"AUTHORITY_JWKS": "https://me:{}@authority.example.com/jwks"},
    "a user and a bad port": {"AUTHORITY_JWKS": "https://me:{}@authority.example.com:x/jwks"},
    "a user and a bad scheme": {"AUTHORITY_JWKS": "ftp://me:{}@authority.example.com/jwks"},
    "a user in the issuer": {"AUTHORITY_ISSUER": "http://me:{}@authority.example.com"},
    "a list": "secret_key: [{}]",
    "a mapping": "secret_key: {a: {}}",
    "a list of URLs": "database: {url: ['postgres://me:{}@db/x']}",
    "an open quote": "secret_key: '{}",
    "a tab": "secret_key:\t\t{}\n\tx",
    "twice": "secret_key: {}\nsecret_key: {}",
    "a misspelt key": "secret_kye: {}",
    "an alias": "secret_key: *{}",
    "a tag": "secret_key: !{} x",
    "a control character": "secret_key: {}\0",
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_no_error_quotes_a_secret(tmp_path, planted, mistake):
    file = tmp_path / "registry-token.yaml"
    mark = planted.mark("the mistake")
    plant_key(planted, PEM)
    environment = {"REGISTRY_TOKEN_CONFIG": str(file)}
    if isinstance(mistake, str):
        file.write_text(mistake.replace("{}", mark))
    else:
        file.touch()
        for name, value in mistake.items():
            environment[f"REGISTRY_TOKEN_{name}"] = value.replace("{}", mark)
    configuration = config.load(environment, file)
    assert configuration.errors
    assert planted.found("\n".join(configuration.errors)) == []
    assert planted.found(repr(configuration)) == []


@pytest.mark.parametrize("key", [PEM, PEM.replace("\n", "\\n")], ids=["lines", "one line"])
def test_a_key_in_the_place_of_its_path_is_not_shown(tmp_path, planted, key):
    service = new_service(tmp_path, planted)
    plant_key(planted, PEM)
    service.environment["REGISTRY_TOKEN_SIGNING_KEY"] = key
    with pytest.raises(RuntimeError) as refused:
        service.start()
    output = str(refused.value) + "".join(shown(service).values())
    assert planted.found(output) == []
    assert "must be the path of a PEM file" in output


def test_a_damaged_signing_key_is_not_quoted(tmp_path, planted):
    service = new_service(tmp_path, planted, THROTTLE_FAILURES="0")
    service.manage("migrate", "--verbosity", "0")
    file = tmp_path / "signing.key"
    file.write_text(file.read_text().replace("A", "B", 3).replace("-----END", "----END"))
    plant_key(planted, file.read_text())
    with pytest.raises(RuntimeError, match="private key") as refused:
        service.start()
    assert planted.found(str(refused.value)) == []
    assert planted.found("".join(shown(service).values())) == []


def test_debugging_pages_show_no_secret(tmp_path, planted):
    with new_service(tmp_path, planted, DEBUG="true", THROTTLE_FAILURES="0") as service:
        # Without a signing key, and without the database that the pages of the admin need.
        service.stop()
        del service.environment["REGISTRY_TOKEN_SIGNING_KEY"]
        password = planted.mark("password of a database out of reach")
        (tmp_path / "database_url").write_text(f"postgres://me:{password}@127.0.0.1:1/none")
        service.start()
        found, statuses = {}, set()
        for request in requests(planted, service):
            for host, path in (("evil", request.path), ("localhost", "/admin/"), (None, None)):
                headers = request.headers | ({"Host": host} if host else {})
                status, fields, body = service.request(
                    request.method, path or request.path, request.body, headers
                )
                what = planted.found(json.dumps(fields).encode() + body)
                # Django's page for what is not found names the path, to whoever asked for it.
                found[f"{request.place}, {host}"] = [place for place in what if place != "path"]
                statuses.add(status)
        assert {where: what for where, what in found.items() if what} == {}
        assert {400, 401, 404, 500, 503} <= statuses
        assert planted.found(service.output.read_bytes()) == []


def test_no_object_shows_a_secret(authority, planted):
    token = authority.token("community")
    mark = planted.mark("a credential")
    for part in token.split("."):
        planted.add(f"part of the token: {part[:9]}", part)
    query = {name: [value] for name, value in FIELDS.items()}
    objects = [
        from_query(query, f"Bearer {token}"),
        from_query(query, basic(mark)),
        from_form(query | {"grant_type": ["password"], "password": [mark]}, ""),
        parse_scopes([FIELDS["scope"]]),
        authenticate(token),
        signing_key(),
        django_settings.CONFIGURATION,
    ]
    planted.add("secret key", django_settings.SECRET_KEY)
    plant_key(planted, Path(str(django_settings.SIGNING_KEY)).read_text())
    for broken in (mark, f"{token}x", token.replace(".", f".{mark}", 1)):
        with pytest.raises(Unauthenticated) as refused:
            authenticate(broken)
        objects += [refused.value, refused.value.args, vars(refused.value)]
    for thing in objects:
        assert planted.found(f"{thing!r} {thing}") == []
