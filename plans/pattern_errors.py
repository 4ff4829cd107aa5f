"""What is wrong with a pattern, in words for the person who typed it."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from plans.patterns import MAX_NAME_LENGTH, MAX_STARS, is_repository_name

EMPTY_PATTERN = gettext_lazy(
    "is empty; write a repository name such as acme/app, or acme/** for all below acme"
)


def pattern_error(pattern: str) -> str | None:
    """What is wrong with `pattern`, as a sentence for the person who typed it, or None."""
    if not pattern:
        return str(EMPTY_PATTERN)
    if len(pattern) > MAX_NAME_LENGTH:
        return _("is longer than %(n)d characters") % {"n": MAX_NAME_LENGTH}
    segments = pattern.split("/")
    if "" in segments:
        message = _("%(pattern)r has an empty part; write no slash at an end and none twice")
        return message % {"pattern": pattern}
    if any("**" in segment and segment != "**" for segment in segments):
        message = _("%(pattern)r: ** stands alone between slashes, for whole parts of the path")
        return message % {"pattern": pattern}
    if (count := pattern.replace("**", "*").count("*")) > MAX_STARS:
        message = _("has %(count)d wildcards; %(most)d are the most, each * and each ** is one")
        return message % {"count": count, "most": MAX_STARS}
    # A pattern that matches anything also matches the name with 0 in the place of each star.
    if not is_repository_name(pattern.replace("**", "0").replace("*", "0")):
        message = _(
            "%(pattern)r can never match a repository name: parts are lower-case letters and"
            " digits, joined by one dot, one or two underscores, or hyphens"
        )
        return message % {"pattern": pattern}
    return None
