"""The settings of the test run: the service's own, on keys and a database made for the run."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

FOLDER = Path(tempfile.mkdtemp(prefix="registry-token-tests-"))
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

for _name in [name for name in os.environ if name.startswith("REGISTRY_TOKEN_")]:
    del os.environ[_name]  # the developer's own

os.environ |= {
    "REGISTRY_TOKEN_SECRET_KEY": "a secret key of the tests, of no use anywhere else, long enough",
    "REGISTRY_TOKEN_ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "REGISTRY_TOKEN_AUTHORITY_ISSUER": "https://authority.example.com",
    "REGISTRY_TOKEN_AUTHORITY_AUDIENCES": "registry-token",
    "REGISTRY_TOKEN_AUTHORITY_JWKS": str(FOLDER / "authority.jwks.json"),
    "REGISTRY_TOKEN_SIGNING_KEY": str(FOLDER / "signing.key"),
    "REGISTRY_TOKEN_SIGNING_ISSUER": "registry-token-tests",
    "REGISTRY_TOKEN_REGISTRY_SERVICES": "registry.example.com,mirror.example.com",
    "REGISTRY_TOKEN_THROTTLE_FAILURES": "0",  # most tests fail on purpose, from one address
    "REGISTRY_TOKEN_REGISTRY_REALM": "https://tokens.example.com/token",
    "REGISTRY_TOKEN_DATABASE_URL": os.environ.get(
        "TEST_DATABASE_URL", f"sqlite:///{FOLDER}/tests.sqlite3"
    ),
}

from registry_token import key_files  # noqa: E402

key_files.write_new_file(
    FOLDER / "signing.key", key_files.private_key_pem(key_files.new_private_key())
)

from registry_token.settings import *  # noqa: E402, F403

FAILURES_STORED_EVERY = 0  # a thread would write into other tests' database
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"  # noqa: F405
