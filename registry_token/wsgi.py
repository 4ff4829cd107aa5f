"""The WSGI application, and what has to happen to a request before Django sees it."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "registry_token.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from registry_token.config import require_valid
from registry_token.token_request import MAX_FORM

MAX_DISCARDED = 1024 * 1024  # bytes

Environ = dict[str, Any]
WSGIApplication = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def with_chunked_bodies(application: WSGIApplication) -> WSGIApplication:
    """Give chunked bodies a length: skopeo and podman send their form so, and Django takes a
    request without Content-Length for one without a body.

    One byte more than a form may have is kept at most, so that too long a form is seen as such.
    """

    def wrapped(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        chunked = environ.get("HTTP_TRANSFER_ENCODING", "").lower() == "chunked"
        for_token = environ.get("PATH_INFO", "").rstrip("/").endswith("/token")
        if chunked and for_token and not environ.get("CONTENT_LENGTH"):
            body = environ["wsgi.input"].read(MAX_FORM + 1)
            if len(body) > MAX_FORM:
                # Who is still sending would not see the answer; whoever sends more, does not.
                environ["wsgi.input"].read(MAX_DISCARDED)
            environ["wsgi.input"] = io.BytesIO(body)
            environ["CONTENT_LENGTH"] = str(len(body))
        return application(environ, start_response)

    return wrapped


require_valid(settings.CONFIGURATION)
application = with_chunked_bodies(get_wsgi_application())
