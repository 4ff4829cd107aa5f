"""gunicorn's configuration: `gunicorn -c etc/gunicorn.conf.py` serves the token service.

Options on the command line and in GUNICORN_CMD_ARGS override these, WEB_CONCURRENCY sets the
number of workers.
"""

import json
import os
import resource
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import gunicorn.util

_PROJECT = Path(__file__).resolve().parent.parent

wsgi_app = "registry_token.wsgi:application"
chdir = str(_PROJECT)
bind = "127.0.0.1:8000"

# Reads requests as they come and hands only whole ones to a thread: slow clients cost memory and no
# thread. A thread waits for the database only; more of them would not make anything faster.
worker_class = "registry_token.worker.BufferingWorker"
workers = int(os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1)
threads = 8

# Clients with a connection, of each worker. The one that waits longest makes room for a new one.
# Files and the database need descriptors, too.
_, _most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
_files = min(_most_files, 16384) if _most_files != resource.RLIM_INFINITY else 16384
resource.setrlimit(resource.RLIMIT_NOFILE, (_files, _most_files))
worker_connections = min(4000, max(_files - 100, 50))

# Seconds. Keep-alive outlasts the pauses of a client between two layers.
timeout = 30
graceful_timeout = 30
keepalive = 15

# A caller token may have 16 KiB; as a Basic password it grows by a third, plus the user name.
limit_request_line = 8190  # bytes
limit_request_field_size = 24 * 1024  # bytes
limit_request_fields = 64

# The service itself decides which proxies it believes (trusted_proxies).
forwarded_allow_ips = ""
forwarder_headers = ""

# Worker heartbeats must not wait for a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108
worker_tmp_dir = str(_MEMORY) if _MEMORY.is_dir() else None
control_socket_disable = True

# Decisions are logged by the service, one JSON line each; gunicorn adds nothing to them.
accesslog = None
errorlog = "-"
loglevel = "info"


def _write_json_error(sock: socket.socket, status: int, reason: str, message: str) -> None:
    """Tell what gunicorn itself refuses as the service tells its own refusals: clients show it."""
    error = {"code": "UNSUPPORTED", "message": message or reason, "detail": {}}
    body = json.dumps({"errors": [error]})
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    answer = f"{head}Content-Length: {len(body)}\r\n\r\n{body}"
    gunicorn.util.write_nonblock(sock, answer.encode())


# gunicorn has no setting for it, and answers in HTML.
gunicorn.util.write_error = _write_json_error


def on_starting(server: Any) -> None:
    """Refuse to start, and later to reload, with a wrong set-up."""
    # Workers share its memory only when it is there before they fork.
    import registry_token.throttle  # noqa: F401

    if not _set_up_is_right():
        sys.exit("The system checks failed; the service does not start.")
    reload = server.reload

    def reload_if_right() -> None:
        # A worker that cannot boot ends the whole service.
        if _set_up_is_right():
            reload()
        else:
            server.log.error("The system checks failed; not reloaded, the old set-up goes on.")

    server.reload = reload_if_right


def _set_up_is_right() -> bool:
    """Run the checks in a process of their own: workers must load the code anew at a reload."""
    # Not by manage.py, which would look at a development set-up instead of what is served.
    check = [sys.executable, "-m", "django", "check"]
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "registry_token.settings"}
    done = subprocess.run(
        check, cwd=_PROJECT, env=environment, stdout=subprocess.DEVNULL, check=False
    )
    return done.returncode == 0
