"""Group commit: what waits together is written together, and nobody gets another's result."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from registry_token.group_commit import GroupCommit


class Store:
    """Writes lists of numbers; holds the first write back until `open` is set."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.open = threading.Event()
        self.started = threading.Event()

    def __call__(self, items: list[int]) -> list[int | Exception]:
        self.groups.append(items)
        self.started.set()
        assert self.open.wait(10)
        if 13 in items:
            raise OSError("the disk is gone")
        return [ValueError(item) if item < 0 else item * 10 for item in items]


def together(store: Store, items: list[int], most: int = 100) -> dict[int, object]:
    """Write `items` from a thread each, the first before all others."""
    commit: GroupCommit[int, int] = GroupCommit(store, most, patience=10)
    outcomes: dict[int, object] = {}

    def write(item: int) -> None:
        try:
            outcomes[item] = commit(item)
        except (ValueError, OSError) as error:
            outcomes[item] = repr(error)

    threads = [threading.Thread(target=write, args=[item]) for item in items]
    threads[0].start()
    assert store.started.wait(10)
    for thread in threads[1:]:
        thread.start()
    deadline = time.monotonic() + 10
    while len(commit._line) < len(items) - 1:
        assert time.monotonic() < deadline
        time.sleep(0.001)
    store.open.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    return outcomes


def test_who_is_alone_does_not_wait():
    store = Store()
    store.open.set()
    commit: GroupCommit[int, int] = GroupCommit(store)
    assert [commit(1), commit(2)] == [10, 20]
    assert store.groups == [[1], [2]]


def test_those_who_came_meanwhile_are_written_together():
    store = Store()
    outcomes = together(store, [1, 2, 3, 4, 5, 6])
    assert outcomes == {item: item * 10 for item in range(1, 7)}
    assert [sorted(group) for group in store.groups] == [[1], [2, 3, 4, 5, 6]]


def test_no_group_is_larger_than_allowed():
    store = Store()
    outcomes = together(store, list(range(1, 12)), most=4)
    assert outcomes == {item: item * 10 for item in range(1, 12)}
    assert [len(group) for group in store.groups] == [1, 4, 4, 2]


def test_an_error_of_one_item_is_its_own():
    outcomes = together(Store(), [1, -2, 3])
    assert outcomes == {1: 10, -2: "ValueError(-2)", 3: 30}


def test_an_error_of_the_whole_group_is_everybodys_and_the_next_go_on():
    store = Store()
    outcomes = together(store, [1, 13, 2])
    assert outcomes[1] == 10
    assert outcomes[13] == outcomes[2] == "OSError('the disk is gone')"
    commit: GroupCommit[int, int] = GroupCommit(store)
    with pytest.raises(OSError, match="gone"):
        commit(13)
    assert commit(4) == 40


def test_nobody_waits_for_long_for_a_write_that_hangs():
    """All are written, each once, though the first write never ends in time."""
    written: Counter[int] = Counter()
    hangs = threading.Event()

    def commit(items: list[int]) -> list[int]:
        if 0 in items:
            assert hangs.wait(10)
        written.update(items)
        return items

    together: GroupCommit[int, int] = GroupCommit(commit, most=3, patience=0.05)
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda item=item: results.append(together(item)))
        for item in range(50)
    ]
    threads[0].start()
    for thread in threads[1:]:
        thread.start()
    for thread in threads[1:]:
        thread.join(10)
    assert sorted(results) == list(range(1, 50))
    hangs.set()
    threads[0].join(10)
    assert written == Counter(range(50))
    assert together(99) == 99
