"""How the patterns of two rules relate: whether one matches all that another matches, and whether
any name can match both. Pure.

A pattern is a row of segments, a segment a row of characters, and in both rows a wildcard stands
for any number of members, also none. (A `**` at the end stands for at least one segment: for any
number and one more.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

_ANY_CHARACTERS, _ANY_SEGMENTS = "*", ""

# Of a `Comparison`: about a second at most.
MAX_EFFORT = 2_000_000


def covers(outer: str, inner: str) -> bool:
    """Whether every name that `inner` matches is matched by `outer`; in doubt it says no."""
    if _begin_apart(outer, inner):
        return False
    return _covers(_segments(outer), _segments(inner), _ANY_SEGMENTS, _segment_covers)


def intersects(one: str, other: str) -> bool:
    """Whether a name can match both patterns; in doubt it says yes."""
    if _begin_apart(one, other):
        return False
    return _intersect(_segments(one), _segments(other), _ANY_SEGMENTS, _segments_intersect)


class Comparison:
    """The relations of many pairs of patterns, with a bounded effort, which is counted in pairs of
    characters: the same patterns have the same answers on every machine. Beyond it all is in doubt.
    """

    def __init__(self, effort: int = MAX_EFFORT) -> None:
        self._left = effort

    def can_spend(self, effort: int) -> bool:
        """Whether there is that much left, which is then less."""
        self._left -= effort
        return self._left >= 0

    def covers(self, outer: str, inner: str) -> bool:
        """As `covers`."""
        return self.can_spend(_effort(outer, inner)) and covers(outer, inner)

    def intersects(self, one: str, other: str) -> bool:
        """As `intersects`, which takes longer."""
        return not self.can_spend(4 * _effort(one, other)) or intersects(one, other)


def _effort(one: str, other: str) -> int:
    return 2 if _begin_apart(one, other) else 2 + len(one) * len(other)


def _begin_apart(one: str, other: str) -> bool:
    """Whether their texts before the first star differ, as those of most pairs do: no name begins
    with both. The rest takes a hundred times as long.
    """
    first, second = one.partition("*")[0], other.partition("*")[0]
    return not (first.startswith(second) or second.startswith(first))


def _segments(pattern: str) -> list[str]:
    segments = pattern.split("/")
    at_the_end = ["**", "*"] if segments[-1] == "**" else segments[-1:]
    return [_ANY_SEGMENTS if each == "**" else each for each in [*segments[:-1], *at_the_end]]


def _segment_covers(outer: str, inner: str) -> bool:
    # What stands for whole segments is covered by its like alone.
    return inner != _ANY_SEGMENTS and _covers(outer, inner, _ANY_CHARACTERS, str.__eq__)


def _segments_intersect(one: str, other: str) -> bool:
    return _intersect(one, other, _ANY_CHARACTERS, str.__eq__)


def _covers(
    outer: Sequence[str], inner: Sequence[str], wildcard: str, fits: Callable[[str, str], bool]
) -> bool:
    """Read `inner` as a text that `outer` matches: only wildcards take wildcards."""

    def reached(positions: Iterable[int]) -> set[int]:
        found = set(positions)
        for position in range(len(outer)):
            if position in found and outer[position] == wildcard:
                found.add(position + 1)
        return found

    positions = reached({0})
    for member in inner:
        taken = (
            position if outer[position] == wildcard else position + 1
            for position in positions
            if position < len(outer)
            and (outer[position] == wildcard or fits(outer[position], member))
        )
        positions = reached(taken)
    return len(outer) in positions


def _intersect(
    one: Sequence[str], other: Sequence[str], wildcard: str, fits: Callable[[str, str], bool]
) -> bool:
    """Walk along both at once, each wildcard taking members of the other or nothing."""
    todo, seen = [(0, 0)], set()
    while todo:
        place = todo.pop()
        if place in seen:
            continue
        seen.add(place)
        i, j = place
        if (i, j) == (len(one), len(other)):
            return True
        i_is_wild = i < len(one) and one[i] == wildcard
        j_is_wild = j < len(other) and other[j] == wildcard
        if i_is_wild or j_is_wild:
            todo += [(i + 1, j)] if i < len(one) else []
            todo += [(i, j + 1)] if j < len(other) else []
        elif i < len(one) and j < len(other) and fits(one[i], other[j]):
            todo.append((i + 1, j + 1))
    return False
