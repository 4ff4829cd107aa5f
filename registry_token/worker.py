"""The gunicorn worker that serves: threads that share one epoll set.

Whichever thread is free takes the next connection that has something to read, and answers the
request in place once the whole of it has arrived. No thread hands work to another, which costs more
than the work, and none waits for a client: a few threads serve thousands of slow connections.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
import select
import socket
import sys
import threading
import time
from datetime import datetime
from typing import Any

from gunicorn import util
from gunicorn.config import Config
from gunicorn.http import errors, wsgi
from gunicorn.http.errors import ParseException
from gunicorn.http.message import Request
from gunicorn.workers import base

from registry_token.connection import Answer, BodyTooLarge, Connection
from registry_token.stream import Stream

# Seconds.
REQUEST_TIME_LIMIT = 30.0  # for a request to arrive as a whole
CLOSING_TIME_LIMIT = 2.0  # for a client to read the last answer
STREAM_TIME_LIMIT = 15.0  # to take a piece of a stream, and more by its size:
STREAM_RATE = 8 * 1024  # bytes a second
LINGER = 2.0  # after SIGTERM: a client may be sending on a connection that it was told is kept
TICK = 1.0

# Bytes. What requests and answers of more than the first may take together, in a worker. Hardly any
# request for a token is so large.
LARGE = 32 * 1024
MAX_LARGE = 32 * 1024 * 1024

_ONCE = select.EPOLLONESHOT

_STATUS: dict[type[Exception], tuple[int, str]] = {
    errors.LimitRequestLine: (414, "URI Too Long"),
    errors.LimitRequestHeaders: (431, "Request Header Fields Too Large"),
    errors.ExpectationFailed: (417, "Expectation Failed"),
    errors.UnsupportedTransferCoding: (501, "Not Implemented"),
}


class BufferingWorker(base.Worker):  # type: ignore[misc]  # gunicorn has no types
    """`threads`, `keepalive`, `worker_connections`, `max_requests`, `graceful_timeout` and the
    limits of requests mean what they mean to gunicorn's gthread. TLS is for the proxy in front.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._open: set[Connection] = set()
        # Whoever takes a connection out of here owns it: a thread, or who closes what is overdue.
        self._waiting: dict[int, Connection] = {}
        self._large: dict[Connection, int] = {}
        self._listeners: dict[int, socket.socket] = {}
        self._accepting = threading.Lock()  # so that no thread accepts while listeners are closed
        self._stopped = False

    @classmethod
    def check_config(cls, cfg: Config, log: Any) -> None:
        """Refuse what this worker does not do."""
        if cfg.proxy_protocol != "off":
            sys.exit("The PROXY protocol is not spoken; trusted_proxies believes X-Forwarded-For.")
        if cfg.is_ssl:
            sys.exit("TLS ends at a proxy in front; or serve with --worker-class gthread.")

    def run(self) -> None:
        """Serve until told to stop, then let end what has begun."""
        self._epoll = select.epoll()
        stop_reader, stop_writer = os.pipe()
        self._epoll.register(stop_reader, select.EPOLLIN)
        for listener in self.sockets:
            listener.setblocking(False)
            self._listeners[listener.fileno()] = listener
            self._epoll.register(listener.fileno(), select.EPOLLIN | select.EPOLLEXCLUSIVE)
        gc.collect()
        gc.freeze()  # what has been loaded stays, and is not looked at again and again
        threads = [
            threading.Thread(target=self._work, daemon=True) for _ in range(self.cfg.threads)
        ]
        for thread in threads:
            thread.start()
        while self.alive and self.ppid == os.getppid():
            self._tick()
        self._finish()
        self._stopped = True
        os.write(stop_writer, b".")  # never read: it wakes every thread
        for thread in threads:
            thread.join(TICK)

    def _tick(self) -> None:
        """Sleep until a signal or for a second; tell the master that all is well; tidy up."""
        self.notify()
        select.select([self.PIPE[0]], [], [], TICK)
        with contextlib.suppress(BlockingIOError):
            os.read(self.PIPE[0], 4096)
        now = time.monotonic()
        for fd, connection in list(self._waiting.items()):
            if connection.deadline < now and self._waiting.pop(fd, None) is not None:
                self._close_overdue(connection)

    def _close_overdue(self, connection: Connection) -> None:
        with contextlib.suppress(OSError):
            if not connection.is_idle and not connection.unsent and not connection.closing:
                self._refuse(connection, 408, "Request Timeout", "the request was too slow")
        self._close(connection)

    def _finish(self) -> None:
        """Take no more connections; answer what has been sent, and what is being sent."""
        with self._accepting:
            for fd, listener in self._listeners.items():
                self._epoll.unregister(fd)
                while self._accept(listener):  # these believe that they are connected
                    pass
                listener.close()
            self._listeners.clear()
        now = time.monotonic()
        for connection in list(self._waiting.values()):
            if connection.is_idle:
                connection.deadline = min(connection.deadline, now + LINGER)
        while self._open and time.monotonic() < now + self.cfg.graceful_timeout:
            self._tick()

    def _work(self) -> None:
        """What each thread does. A thread that takes a connection is the only one to have it."""
        while not self._stopped:
            for fd, _ in self._epoll.poll(None, 1):
                try:
                    self._serve(fd)
                except Exception:  # whatever it is, the worker needs its threads
                    self.log.exception("A connection was not taken")

    def _serve(self, fd: int) -> None:
        if (connection := self._waiting.pop(fd, None)) is not None:
            self._advance(connection)
            return
        with self._accepting:
            if (listener := self._listeners.get(fd)) is not None:
                self._accept(listener)

    def _accept(self, listener: socket.socket) -> bool:
        """Whether there was a connection to take."""
        try:
            sock, peer = listener.accept()
        except OSError as error:  # most of the time another thread was faster
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._close_longest_waiting()
            return False
        if len(self._open) >= self.cfg.worker_connections:
            self._close_longest_waiting()
        deadline = time.monotonic() + REQUEST_TIME_LIMIT
        connection = Connection(sock, peer, listener.getsockname(), deadline)
        self._open.add(connection)
        try:
            self._epoll.register(connection.fd, 0)
            self._wait_for(connection)
        except OSError:
            self._waiting.pop(connection.fd, None)
            self._close(connection)
        return True

    def _close_longest_waiting(self) -> None:
        with contextlib.suppress(StopIteration, RuntimeError):  # other threads change the dict
            if (connection := self._waiting.pop(next(iter(self._waiting)), None)) is not None:
                self._close(connection)

    def _advance(self, connection: Connection) -> None:
        """Do for a connection what can be done without waiting for its client."""
        try:
            if connection.unsent:
                connection.flush()
                if connection.stream is None:
                    connection.deadline = time.monotonic() + self.cfg.keepalive
            else:
                was_idle = connection.is_idle
                if not connection.receive():
                    self._close(connection)
                    return
                if was_idle and not connection.closing:
                    connection.deadline = time.monotonic() + REQUEST_TIME_LIMIT
            while not connection.unsent and not connection.closing:
                if connection.stream is not None:
                    self._go_on(connection, connection.stream)
                elif not self._answer_next(connection):
                    break
            if not self._has_room_for(connection):
                if connection.unsent:
                    self._close(connection)
                    return
                self._refuse(connection, 503, "Service Unavailable", "too many large requests")
            self._wait_for(connection)
        except OSError:  # the client is gone
            self._close(connection)
        except Exception:
            self.log.exception("A connection was given up")
            self._close(connection)

    def _has_room_for(self, connection: Connection) -> bool:
        """Whether what the connection holds fits; large ones that have waited longer make room."""
        if connection.size <= LARGE:
            self._large.pop(connection, None)
            return True
        self._large[connection] = connection.size
        for other in list(self._large):
            if sum(list(self._large.values())) <= MAX_LARGE:
                return True
            if (waiting := self._waiting.pop(other.fd, None)) is not None:
                self._close(waiting)
        return sum(list(self._large.values())) <= MAX_LARGE

    def _wait_for(self, connection: Connection) -> None:
        if connection.closing and not connection.unsent:
            connection.half_close()
            closing = time.monotonic() + CLOSING_TIME_LIMIT
            connection.deadline = min(connection.deadline, closing)
        self._waiting[connection.fd] = connection
        events = select.EPOLLOUT if connection.unsent else select.EPOLLIN
        self._epoll.modify(connection.fd, events | _ONCE)

    def _answer_next(self, connection: Connection) -> bool:
        """Whether there was a request to answer. Raises OSError when the client is gone."""
        answer = Answer(connection)
        try:
            request = connection.next_request(self.cfg)
            if request is None:
                return False
            self._answer(request, answer, connection)
        except BodyTooLarge:
            self._refuse(connection, 413, "Content Too Large", "the body is too long")
        except OSError:
            raise
        except Exception as error:
            if answer.has_begun:
                raise
            self._refuse_because_of(error, connection)
        return True

    def _answer(self, request: Request, answer: Answer, connection: Connection) -> None:
        """Run the application and send what it says, as far as the client takes it."""
        begun = datetime.now()  # noqa: DTZ005  (gunicorn's access log wants it so)
        response, environ = wsgi.create(
            request, answer, connection.peer, connection.server, self.cfg
        )
        environ["wsgi.multithread"] = True
        self.nr += 1
        if self.nr >= self.max_requests:
            self.alive = False
        if not self.alive or not self.cfg.keepalive:
            response.force_close()

        def log() -> None:
            self.log.access(response, request, environ, datetime.now() - begun)  # noqa: DTZ005

        body = self.wsgi(environ, response.start_response)
        self._go_on(connection, Stream(body, response, answer, log))

    def _go_on(self, connection: Connection, stream: Stream) -> None:
        """Send more of an answer. Raises what the application raises, and OSError."""
        connection.stream = None
        try:
            if not stream.go_on():
                connection.stream = stream
                seconds = STREAM_TIME_LIMIT + len(connection.unsent) / STREAM_RATE
                connection.deadline = time.monotonic() + seconds
                return
        finally:
            if connection.stream is None:
                stream.close()
        connection.closing = stream.response.should_close()
        connection.deadline = time.monotonic() + self.cfg.keepalive

    def _refuse_because_of(self, error: Exception, connection: Connection) -> None:
        """Answer what gunicorn's parser or the application has raised.

        gunicorn's own `handle_error` would log what it could not read, credentials and all.
        """
        if not isinstance(error, ParseException):
            self.log.exception("Error handling a request")
            self._refuse(connection, 500, "Internal Server Error", "an error in the service")
            return
        problem = type(error).__name__
        status, reason = _STATUS.get(type(error), (400, "Bad Request"))
        self.log.warning("Invalid request from ip=%s: %s", connection.address, problem)
        self._refuse(connection, status, reason, f"the request cannot be read: {problem}")

    def _refuse(self, connection: Connection, status: int, reason: str, message: str) -> None:
        answer = Answer(connection)
        util.write_error(answer, status, reason, message)
        self._end(connection, answer)

    def _end(self, connection: Connection, answer: Answer) -> None:
        answer.send()
        connection.forget()
        connection.closing = True
        connection.deadline = time.monotonic() + CLOSING_TIME_LIMIT

    def _close(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._large.pop(connection, None)
        connection.close()
        if (stream := connection.stream) is not None:
            connection.stream = None
            # Whoever tidies up may wait for the database; the thread of the worker's signs of life
            # must not.
            threading.Thread(target=stream.close, daemon=True).start()
