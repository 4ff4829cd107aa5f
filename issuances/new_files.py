"""New files, there as a whole or not at all, for their owner alone: the log tells of people.

A process that is killed leaves a hidden file, .NAME.something, which can be deleted.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

_NO_LINKS = (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP)


@contextlib.contextmanager
def new_file(path: Path) -> Iterator[IO[bytes]]:
    """Gets its name when the block ends, its content being on the disk; after an exception nothing
    is left. Raises FileExistsError rather than replace one, OSError.
    """
    with _named_at_the_end(path, _give_name) as file:
        yield file


def replace_file(path: Path, content: bytes) -> None:
    """Whoever reads it finds the old content or the new one, whole. Raises OSError."""
    with _named_at_the_end(path, Path.replace) as file:
        file.write(content)


@contextlib.contextmanager
def _named_at_the_end(path: Path, give_name: Callable[[Path, Path], object]) -> Iterator[IO[bytes]]:
    with tempfile.NamedTemporaryFile(
        dir=path.parent, prefix=f".{path.name}.", delete=False
    ) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            give_name(Path(file.name), path)
        finally:
            Path(file.name).unlink(missing_ok=True)
    _sync_folder(path.parent)


def _give_name(file: Path, path: Path) -> None:
    try:
        path.hardlink_to(file)  # unlike a renaming, it replaces nothing
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():  # on a file system without links, such as that of a USB stick
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        file.rename(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
