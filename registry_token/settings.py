"""Django's settings. The only module that reads the configuration, once at import.

A wrong configuration does not raise here: `CONFIGURATION.errors` holds all that is wrong, the
system checks report it, and `wsgi` and `manage.py` refuse to go on.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from datetime import timedelta
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Any

from registry_token import config
from registry_token.config_values import BASE_DIR

CONFIGURATION = config.load(os.environ, BASE_DIR / "etc" / "registry-token.yaml")

_values = CONFIGURATION.values

AUTHORITY_ISSUER: str = _values["authority.issuer"]
AUTHORITY_AUDIENCES: tuple[str, ...] = _values["authority.audiences"]
AUTHORITY_JWKS: str | None = _values["authority.jwks"]
AUTHORITY_REQUIRED_SCOPES: tuple[str, ...] = _values["authority.required_scopes"]
AUTHORITY_ALGORITHMS: tuple[str, ...] = _values["authority.algorithms"]
AUTHORITY_LEEWAY: int = _values["authority.leeway"]  # seconds
AUTHORITY_DEVELOPMENT_KEY: str | None = _values["authority.development_key"]
SIGNING_KEY: str | None = _values["signing.key"]
SIGNING_CERTIFICATE: str | None = _values["signing.certificate"]
SIGNING_ISSUER: str = _values["signing.issuer"]
SIGNING_KID: str = _values["signing.kid"]
SIGNING_LIFETIME: int = _values["signing.lifetime"]  # seconds
REGISTRY_SERVICES: tuple[str, ...] = _values["registry.services"]
REGISTRY_REALM: str | None = _values["registry.realm"]
REGISTRY_ON_NOTHING_GRANTED: str = _values["registry.on_nothing_granted"]
PLANS_DEFAULT: str | None = _values["plans.default"]
PLANS_ANONYMOUS: str | None = _values["plans.anonymous"]
THROTTLE_FAILURES: int = _values["throttle.failures"]  # a minute and client network; 0: no limit
FAILURES_STORED_EVERY = 5.0  # seconds; 0: never by itself
AUDIT_RETENTION_DAYS: int | None = _values["audit.retention_days"]  # None: for ever
AUDIT_WARN_ROWS: int = _values["audit.warn_rows"]  # 0: never
SSO_CLIENT_ID: str = _values["sso.client_id"] or ""  # empty: no single sign-on
SSO_CLIENT_SECRET: str | None = _values["sso.client_secret"]
SSO_SCOPES: tuple[str, ...] = _values["sso.scopes"]
SSO_GROUP_CLAIM: str = _values["sso.group_claim"]
SSO_GROUPS: tuple[tuple[str, str], ...] = _values["sso.groups"]  # theirs, ours
SSO_LOCAL_LOGIN: bool = _values["sso.local_login"]
TRUSTED_PROXIES: tuple[IPv4Network | IPv6Network, ...] = _values["trusted_proxies"]

DEBUG: bool = _values["debug"]
DEFAULT_EXCEPTION_REPORTER = "registry_token.debug_pages.Reporter"
ALLOWED_HOSTS = list(_values["allowed_hosts"])
# Sessions end with the process when a development set-up configures no key.
SECRET_KEY: str = _values["secret_key"] or (secrets.token_urlsafe(50) if DEBUG else "")
# With a wrong configuration nothing may touch a database, least of all a default one.
DATABASES: dict[str, dict[str, Any]] = {}
if not CONFIGURATION.errors:
    DATABASES["default"] = _values["database.url"]
if DATABASES and isinstance(DATABASES["default"]["NAME"], Path):
    # SQLite would fail for want of a folder, and make a file that everybody can read.
    with contextlib.suppress(OSError):
        DATABASES["default"]["NAME"].parent.mkdir(parents=True, exist_ok=True)
        DATABASES["default"]["NAME"].touch(mode=0o600, exist_ok=False)

INSTALLED_APPS = [
    "registry_token",
    "plans",
    "licences",
    "issuances",
    "people",
    "registry_token.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "axes",
]

# Those of the browser's pages run only under their paths: /token stays lean.
MIDDLEWARE = [
    "registry_token.middleware.RequestContext",
    "registry_token.middleware.Security",
    "registry_token.middleware.HostCheck",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "registry_token.middleware.Session",
    "registry_token.middleware.Common",
    "registry_token.middleware.Csrf",
    "registry_token.middleware.Authentication",
    "registry_token.middleware.SessionLimits",
    "registry_token.middleware.CurrentRequest",
    "registry_token.middleware.Messages",
    "registry_token.middleware.ClickjackingProtection",
    "registry_token.middleware.Lockout",
]

ROOT_URLCONF = "registry_token.urls"
WSGI_APPLICATION = "registry_token.wsgi.application"
APPEND_SLASH = True  # for the admin; /token is served with and without

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

_VALIDATION = "django.contrib.auth.password_validation"
AUTH_PASSWORD_VALIDATORS: list[dict[str, Any]] = [
    {"NAME": f"{_VALIDATION}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_VALIDATION}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_VALIDATION}.CommonPasswordValidator"},
    {"NAME": f"{_VALIDATION}.NumericPasswordValidator"},
]

# Five wrong passwords for a name from an address lock both, together, for a quarter of an hour.
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AXES_HANDLER = "registry_token.lockout.Handler"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_CLIENT_IP_CALLABLE = "registry_token.lockout.client_address"
AXES_USERNAME_CALLABLE = "registry_token.lockout.user_name"
AXES_LOCKOUT_CALLABLE = "registry_token.lockout.response"
AXES_SENSITIVE_PARAMETERS = ["csrfmiddlewaretoken"]
AXES_ENABLE_ADMIN = False  # the activity log shows lock-outs
AXES_DISABLE_ACCESS_LOG = True  # and log-ins
AXES_VERBOSE = False

# Closed by default; /token authenticates by itself.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",  # imported when first asked for
}

# A plan's page has seven fields for each rule. /token has limits of its own.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 50_000

USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "registry_token.formats"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "var" / "static"
# Of the sidecar only this: it is no app, or Redoc would be collected, too, which asks other hosts.
_SIDECAR = Path(str(files("drf_spectacular_sidecar"))) / "static" / "drf_spectacular_sidecar"
STATICFILES_DIRS = [("swagger-ui", _SIDECAR / "swagger-ui-dist")]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}

SESSION_COOKIE_AGE = 12 * 3600  # seconds
SESSION_IDLE_AGE = 3600  # seconds without a request
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
SECURE_CSP = {
    "default-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
    "object-src": ["'none'"],
}
SECURE_REFERRER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    # `RequestContext` takes the header away unless a trusted proxy has set it.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 365 * 24 * 3600

SILENCED_SYSTEM_CHECKS = [
    # Scoped subclasses are not recognised by name; tests look at the headers themselves.
    *("security.W001", "security.W002", "security.W003", "axes.W002"),
    # Subdomains and preload lists: a decision about the whole domain, not about this service.
    *("security.W005", "security.W021"),
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "registry_token.logs.JsonFormatter"}},
    "filters": {"brief": {"()": "registry_token.logs.WithoutTraceback"}},
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "formatter": "json"},
        "brief": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["brief"]},
        "stdout": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "stream": "ext://sys.stdout",
        },
    },
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        # Refusals are logged as decisions; only failures of our own are worth a second line.
        "django.request": {"level": "ERROR"},
        "django.security": {"handlers": ["brief"], "level": "WARNING", "propagate": False},
        "axes": {"level": "ERROR"},  # failed log-ins are in the activity log
        "registry_token": {"level": "INFO"},
        "registry_token.decisions": {"handlers": ["stdout"], "level": "INFO", "propagate": False},
    },
}
