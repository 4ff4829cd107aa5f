"""The WSGI application, and what has to happen to a request before Django sees it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_token.settings")

from django.conf import settings
from django.core.handlers.exception import convert_exception_to_response
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse

from registry_token.config import require_valid
from registry_token.token_request import MAX_FORM

MAX_DISCARDED = 1024 * 1024  # bytes

Environ = dict[str, Any]

require_valid(settings.CONFIGURATION)
_django = get_wsgi_application()

from registry_token import middleware, urls  # noqa: E402  (they need Django to be set up)

_TOKEN_PATHS = frozenset(f"/{route}" for route in urls.TOKEN_PATHS)


class TokenHandler(WSGIHandler):
    """Django's handler for /token alone: the view within the two layers that concern it, without
    those that would pass it by and without looking up its path.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """The layers of settings.MIDDLEWARE that do something for /token, in their order."""
        chain: Any = convert_exception_to_response(urls.token)
        for layer in (middleware.HostCheck, middleware.RequestContext):
            chain = convert_exception_to_response(layer(chain))
        self._middleware_chain = chain

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> list[bytes]:  # type: ignore[override]
        """WSGIHandler's, for answers without cookies, streams and files. Of what is done at the end
        of each request only this concerns /token: pooled connections go back to their pool.
        """
        response: HttpResponse = self._middleware_chain(self.request_class(environ))
        start_response(f"{response.status_code} {response.reason_phrase}", [*response.items()])
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        return [response.content]


_token = TokenHandler()


def with_length(environ: Environ) -> Environ:
    """Give a chunked body a length: skopeo and podman send their form so, and Django takes a
    request without Content-Length for one without a body.

    One byte more than a form may have is kept at most, so that too long a form is seen as such.
    """
    chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
    if chunked and not environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(MAX_FORM + 1)
        if len(body) > MAX_FORM:
            # Who is still sending would not see the answer; whoever sends more, does not.
            environ["wsgi.input"].read(MAX_DISCARDED)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def application(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
    """/token the short way, everything else through Django."""
    content_type, _, parameters = environ.get("CONTENT_TYPE", "").partition(";")
    if "*" in parameters:  # RFC 2231: Django raises what no layer catches, and no client needs it
        environ["CONTENT_TYPE"] = content_type
    if environ.get("PATH_INFO") in _TOKEN_PATHS:
        return _token(with_length(environ), start_response)
    return _django(environ, start_response)
