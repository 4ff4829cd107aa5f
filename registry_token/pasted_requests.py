"""What people paste when they tell what does not work: a docker command, an image, a scope.

Pure: text becomes the scopes that the client would ask for, each with the host of the image's
registry.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import NamedTuple

from django.utils.translation import gettext as _

from registry_token.image_references import DOCKER_HUB, read_image, without_scheme

_SCOPE = re.compile(r"(?:repository|registry)(?:\([a-z0-9]+\))?:.*")
_OTHER_SCOPE = re.compile(r"[a-z0-9]+(?:\([a-z0-9]+\))?:.+:[a-z*,]+")
# Where skopeo and podman copy from and to without asking a registry.
_LOCAL = re.compile(r"(?:dir|oci|oci-archive|docker-archive|docker-daemon|containers-storage):")

PULL, PUSH, EVERYTHING, LOGIN = "pull", "pull,push", "*", ""

_CLIENTS = ("docker", "podman", "nerdctl", "buildah", "skopeo", "crane", "oras", "ctr", "crictl")
# Words that group commands, as in docker image pull.
_GROUPS = ("image", "images", "container", "manifest", "buildx", "imagetools")
# What each of a command's images is asked for.
_COMMANDS: dict[str, tuple[str, ...]] = {
    "pull": (PULL,),
    "push": (PUSH,),
    "run": (PULL,),
    "create": (PULL,),
    "from": (PULL,),
    "inspect": (PULL,),
    "manifest": (PULL,),
    "digest": (PULL,),
    "copy": (PULL, PUSH),
    "cp": (PULL, PUSH),
    "delete": (EVERYTHING,),
    "login": (LOGIN,),
}
# Words behind the image of these are no images.
_WITH_ARGUMENTS = ("run", "create", "oras")
# Options of these commands whose value is the next word.
_WITH_VALUE = re.compile(
    r"--(?:platform|arch|os|variant|authfile|(?:src-|dest-)?(?:creds|cert-dir)|format|retry-times"
    r"|username|password|config|context|host|log-level|name|network|volume|env|env-file|publish"
    r"|workdir|user|entrypoint|mount|label|memory|cpus|restart|namespace|address|output|hostname)"
    r"|-[efHhlmnopuvw]"
)


class Unreadable(ValueError):
    """A line that is nothing of all this. The message is for the person who pasted it."""


class Reading(NamedTuple):
    """One thing that is asked for: the registry's host ("" when the text names none), and the scope
    ("" for a mere login).
    """

    host: str
    scope: str


def read_pasted(text: str) -> list[Reading]:
    """All that the lines of `text` ask for, in their order. Raises Unreadable."""
    lines = text.replace("\\\n", " ").splitlines()
    return [reading for line in lines if line.strip() for reading in _line(line.strip())]


def _line(line: str) -> Iterator[Reading]:
    words = _words(line)
    if _SCOPE.fullmatch(words[0]):
        yield from (Reading("", word) for word in words)
    elif words[0] in _CLIENTS:
        yield from _command(words, line)
    elif len(words) > 1:
        raise _unreadable(line)
    elif (image := read_image(words[0])) is not None:
        yield Reading(image.host, f"repository:{image.repository}:{PULL}")
    elif _OTHER_SCOPE.fullmatch(words[0]):
        yield Reading("", words[0])
    else:
        raise _unreadable(line)


def _words(line: str) -> list[str]:
    """The line's words without a shell's prompt and what runs the client."""
    try:
        words = shlex.split(line)
    except ValueError:
        words = line.split()
    while words and (words[0] in ("$", "#", "%", ">", "sudo") or re.match(r"[A-Z_]+=", words[0])):
        words = words[1:]
    if not words:
        raise _unreadable(line)
    return [words[0].rpartition("/")[2] if words[0].startswith("/") else words[0], *words[1:]]


def _command(words: list[str], line: str) -> Iterator[Reading]:
    command, arguments = _command_and_arguments(words, line)
    wanted = _COMMANDS[command]
    if command == "login":
        host = without_scheme(arguments[0]).partition("/")[0] if arguments else DOCKER_HUB
        yield Reading(host, LOGIN)
        return
    if command in _WITH_ARGUMENTS or words[0] in _WITH_ARGUMENTS:
        arguments = arguments[: len(wanted)]
    if not arguments:
        message = _("%(line)r names no image, such as registry.example.com/acme/app:1.2")
        raise Unreadable(message % {"line": line})
    # An option that is not known here may have left its value in front.
    for argument, actions in zip(arguments[-len(wanted) :], wanted, strict=False):
        if not _LOCAL.match(argument):
            yield _image_reading(argument, actions, line)


def _command_and_arguments(words: list[str], line: str) -> tuple[str, list[str]]:
    given = list(_without_options(words[1:]))
    while len(given) > 1 and given[0] in _GROUPS and given[1] in (*_GROUPS, *_COMMANDS):
        given = given[1:]
    if not given or given[0] not in _COMMANDS:
        message = _("%(line)r: of the commands, only %(known)s ask a registry for something")
        raise Unreadable(message % {"line": line, "known": ", ".join(_COMMANDS)})
    return given[0], given[1:]


def _image_reading(argument: str, actions: str, line: str) -> Reading:
    image = read_image(argument)
    if image is None:
        message = _("%(word)r in %(line)r is no image such as registry.example.com/acme/app:1.2")
        raise Unreadable(message % {"word": argument, "line": line})
    return Reading(image.host, f"repository:{image.repository}:{actions}")


def _without_options(words: list[str]) -> Iterator[str]:
    is_value = False
    for word in words:
        if is_value:
            is_value = False
        elif word.startswith("-"):
            is_value = _WITH_VALUE.fullmatch(word) is not None
        else:
            yield word


def _unreadable(line: str) -> Unreadable:
    message = _(
        "%(line)r is neither a command (docker pull registry.example.com/acme/app:1.2), nor an"
        " image (registry.example.com/acme/app), nor a scope (repository:acme/app:pull)"
    )
    return Unreadable(message % {"line": line})
