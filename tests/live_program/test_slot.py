from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.live.slot import Slot

LONG = 10.0  # seconds; only a defect waits that long


def in_thread(work: Callable[[], object]) -> tuple[threading.Thread, list[object]]:
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(work()), daemon=True)
    thread.start()
    return thread, answers


def test_an_empty_slot_has_nothing() -> None:
    slot = Slot[int]()
    assert slot.get() is None
    assert slot.take(timeout=0) is None
    assert slot.dropped == 0


def test_the_newest_wins_and_the_others_count_as_dropped() -> None:
    slot = Slot[int]()
    for value in (1, 2, 3):
        slot.put(value)
    assert slot.take(timeout=0) == 3
    assert slot.dropped == 2


def test_a_value_is_taken_once_but_can_be_looked_at_again() -> None:
    slot = Slot[str]()
    slot.put("a")
    assert slot.get() == "a"
    assert slot.take(timeout=0) == "a"
    assert slot.take(timeout=0) is None
    assert slot.get() == "a"
    slot.put("b")
    assert slot.dropped == 0


def test_take_waits_for_the_next_value() -> None:
    slot = Slot[int]()
    thread, answers = in_thread(lambda: slot.take(timeout=LONG))
    slot.put(7)
    thread.join(LONG)
    assert answers == [7]


def test_put_when_taken_loses_nothing() -> None:
    slot = Slot[int]()
    sent = list(range(200))
    thread, _ = in_thread(lambda: [slot.put_when_taken(value, LONG) for value in sent])
    assert [slot.take(timeout=LONG) for _ in sent] == sent
    thread.join(LONG)
    assert slot.dropped == 0


def test_put_when_taken_gives_up_and_leaves_the_old_value() -> None:
    slot = Slot[int]()
    assert slot.put_when_taken(1, timeout=0)
    assert not slot.put_when_taken(2, timeout=0)
    assert slot.take(timeout=0) == 1


@pytest.mark.parametrize("waiting", ["take", "put_when_taken"])
def test_close_frees_who_waits(waiting: str) -> None:
    slot = Slot[int]()
    if waiting == "put_when_taken":
        slot.put(1)
        thread, answers = in_thread(lambda: slot.put_when_taken(2))
    else:
        thread, answers = in_thread(slot.take)
    slot.close()
    thread.join(LONG)
    assert not thread.is_alive()
    assert answers == [None if waiting == "take" else False]


def test_after_close_the_last_value_is_left_and_none_comes_in() -> None:
    slot = Slot[int]()
    slot.put(1)
    slot.close()
    slot.put(2)
    assert not slot.put_when_taken(3)
    assert slot.take() == 1
    assert slot.take() is None


def test_under_two_threads_every_value_is_taken_or_counted() -> None:
    slot = Slot[int]()
    total = 5000
    taken: list[int] = []

    def drain() -> None:
        while (value := slot.take()) is not None:
            taken.append(value)

    thread, _ = in_thread(drain)
    for value in range(1, total + 1):
        slot.put(value)
    slot.close()
    thread.join(LONG)
    assert taken == sorted(set(taken))
    assert taken[-1] == total
    assert len(taken) + slot.dropped == total


def test_what_is_dropped_is_handed_on() -> None:
    dropped: list[int] = []
    slot = Slot[int](dropped.append)
    for value in (1, 2, 3):
        slot.put(value)
    assert slot.take(timeout=0) == 3
    slot.put(4)
    slot.close()
    slot.put(5)
    assert dropped == [1, 2]
