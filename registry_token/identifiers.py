"""UUID version 7. It lives in `issuances`, whose rows are ordered by it."""

from issuances.identifiers import first_uuid7, uuid7

__all__ = ("first_uuid7", "uuid7")
