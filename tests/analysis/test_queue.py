"""The list of the analyse workspace, without a window."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from app.analysis.inputs import VIDEO, Input
from app.analysis.job import DONE, FAILED, STOPPED, Job, Outcome, Progress
from app.analysis.parts import AnalysisOptions
from app.analysis.queue import AnalysisQueue
from app.analysis.workers import Tell


def film(name: str) -> Input:
    return Input(VIDEO, Path(name), (Path(name),), 100)


def begin(
    queue: AnalysisQueue, run: Callable[[Sequence[Job], Tell, threading.Event], None]
) -> None:
    entries = queue.unfinished
    jobs = [
        Job(number, entry.source, Path("out"), entry.source.name, AnalysisOptions(), {})
        for number, entry in enumerate(entries)
    ]
    queue.begin(entries, jobs, run)


def finish(queue: AnalysisQueue) -> None:
    deadline = time.monotonic() + 10
    while not queue.poll():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def fail_the_first(jobs: Sequence[Job], tell: Tell, stop: threading.Event) -> None:
    tell(Outcome(jobs[0].number, FAILED, note="Broken."))
    for job in jobs[1:]:
        tell(Progress(job.number, 50))
        tell(Outcome(job.number, DONE, Path("out") / job.name, frames=100))


def test_a_run_gives_each_entry_its_outcome_and_the_next_does_the_rest() -> None:
    queue = AnalysisQueue()
    assert queue.add([film("a.mp4"), film("b.mp4"), film("c.mp4")]) == 3
    begin(queue, fail_the_first)
    finish(queue)
    assert [entry.status for entry in queue.entries] == [FAILED, DONE, DONE]
    assert [entry.source.name for entry in queue.unfinished] == ["a"]
    begin(queue, lambda jobs, tell, stop: tell(Outcome(0, DONE, Path("out/a"))))
    finish(queue)
    assert [entry.status for entry in queue.entries] == [DONE] * 3


def test_what_waits_is_in_the_list_once_but_what_is_done_may_come_again() -> None:
    queue = AnalysisQueue()
    queue.add([film("a.mp4")])
    assert queue.add([film("a.mp4"), film("b.mp4")]) == 1
    begin(queue, fail_the_first)
    finish(queue)
    assert queue.add([film("a.mp4"), film("b.mp4")]) == 1
    assert [entry.source.name for entry in queue.entries] == ["a", "b", "b"]


def test_entries_of_the_run_stay_and_others_may_come_and_go() -> None:
    queue = AnalysisQueue()
    queue.add([film("a.mp4"), film("b.mp4")])

    def wait(jobs: Sequence[Job], tell: Tell, stop: threading.Event) -> None:
        stop.wait(10)

    begin(queue, wait)
    queue.add([film("c.mp4")])
    numbers = {entry.number for entry in queue.entries}
    assert queue.remove(numbers) == 1
    assert [entry.source.name for entry in queue.entries] == ["a", "b"]
    queue.stop()
    finish(queue)
    assert [entry.status for entry in queue.entries] == [STOPPED, STOPPED]
    assert queue.remove(numbers) == 2


def test_a_close_ends_the_run() -> None:
    queue = AnalysisQueue()
    queue.add([film("a.mp4")])
    ended = threading.Event()

    def run(jobs: Sequence[Job], tell: Tell, stop: threading.Event) -> None:
        stop.wait(10)
        ended.set()

    begin(queue, run)
    queue.close(10)
    assert ended.is_set()
