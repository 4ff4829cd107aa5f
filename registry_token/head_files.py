"""The newest seal's number and hash in a file beside the database, so that who seals notices when
seals were cut off or made anew. Otherwise sealing would cover it up: new seals would follow.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from issuances.models import SealedBatch
from issuances.new_files import replace_file
from issuances.sealing.making import Head
from issuances.sealing.seals import hash_of
from issuances.verify import head_in


class HeadLost(ValueError):
    """The seals do not have the head that was noted, or it cannot be noted; the message says what
    to do.
    """


def require_head(path: Path) -> None:
    """See that the seal that is noted in the file, if there is one, is there and the same.

    Raises HeadLost, django.db.Error.
    """
    try:
        number, noted = head_in(path.read_text().strip())
    except FileNotFoundError:
        return
    except OSError as error:
        raise HeadLost(f"{path}: {error.strerror or error}") from None
    except (ValueError, argparse.ArgumentTypeError) as error:
        raise HeadLost(f"{path}: {error}") from None
    statements = SealedBatch.objects.filter(number=number).values_list("statement", flat=True)
    statement = statements.first()
    if statement is None or hash_of(statement) != noted:
        what = "is gone" if statement is None else "is another than was noted"
        raise HeadLost(
            f"batch {number} {what} in {path}: seals were cut off or made anew, or this is an older"
            f" copy of the database. Nothing was sealed. Find out why: manage.py verify_issuances"
            f" --expect-head {number}:{noted}. To begin anew, move the file elsewhere"
        )


def note_head(path: Path, head: Head) -> None:
    """Raises HeadLost."""
    try:
        if head.number:
            replace_file(path, f"{head}\n".encode())
    except OSError as error:
        raise HeadLost(f"{path}: {error.strerror or error}") from None
