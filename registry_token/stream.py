"""An answer whose body is made while it is sent: a file, an export.

No thread waits for the client: when it does not take what has been made, the body is left as it is
until it has. Any thread may then go on with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

PIECE = 128 * 1024  # bytes
LONGEST = 1.0  # seconds that what has been made waits to become a piece


class Stream:
    """`body` as the application has returned it, `response` and `answer` through which it goes to
    the client; `at_end` is called when all of it has been made.
    """

    def __init__(
        self, body: Iterable[bytes], response: Any, answer: Any, at_end: Callable[[], None]
    ) -> None:
        self._body = body
        self._parts = iter(body)
        self._at_end = at_end
        self.response = response
        self.answer = answer

    def go_on(self) -> bool:
        """Send the next parts; True at the end, False when the client has to take some first.

        Raises what the application raises, and OSError when the client is gone.
        """
        sent = time.monotonic()
        for part in self._parts:
            self.response.write(part)
            if self.answer.size < PIECE and time.monotonic() < sent + LONGEST:
                continue
            if not self.answer.size and self.answer.is_abandoned:
                raise ConnectionAbortedError
            self.answer.send()
            if self.answer.is_behind:
                return False
            sent = time.monotonic()
        self.response.close()
        self.answer.send()
        self._at_end()
        return True

    def close(self) -> None:
        """Let the application tidy up; before the end, that is how it learns of it."""
        if hasattr(self._body, "close"):
            self._body.close()
