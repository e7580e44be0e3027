"""How a batch tells of itself, with a run that the tests hold in their hands."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from app.analysis.batch import RUNNING, WAITING, Batch
from app.analysis.inputs import VIDEO, Input
from app.analysis.job import DONE, FAILED, STOPPED, Job, Outcome, Progress, _kept
from app.analysis.parts import AnalysisOptions
from app.analysis.summary import outcome_line, progress_line, total_line, write_summary
from app.analysis.workers import Tell
from app.errors import SettingsError
from app.sessions.folder import in_use, lock


def job(number: int, frames: int | None) -> Job:
    path = Path(f"film {number}.mp4")
    source = Input(VIDEO, path, (path,), frames)
    return Job(number, source, Path("out"), path.stem, AnalysisOptions(), {})


class Script:
    """Be a run that says what the test tells it to, and ends when told."""

    def __init__(self) -> None:
        self.tell: Tell = lambda message: None
        self.begun = threading.Event()
        self.end = threading.Event()
        self.error: Exception | None = None

    def __call__(self, jobs: Sequence[Job], tell: Tell, stop: threading.Event) -> None:
        self.tell = tell
        self.begun.set()
        while not (self.end.wait(0.005) or stop.is_set()):
            pass
        if self.error is not None:
            raise self.error


def begin(*frames: int | None) -> tuple[Batch, Script]:
    script = Script()
    batch = Batch([job(number, count) for number, count in enumerate(frames)], script)
    batch.start()
    assert script.begun.wait(10)
    return batch, script


def test_share_counts_frames_and_what_failed_is_through() -> None:
    batch, script = begin(100, 300, 100)
    assert [file.status for file in batch.state().files] == [WAITING] * 3
    script.tell(Progress(1, 150))
    script.tell(Outcome(0, DONE, Path("out/a"), frames=100))
    script.tell(Outcome(2, FAILED, note="broken"))
    state = batch.state()
    assert [file.status for file in state.files] == [DONE, RUNNING, FAILED]
    assert state.share == pytest.approx((100 + 150 + 100) / 500)
    assert state.files[1].share == 0.5
    script.end.set()
    assert batch.wait(10)


def test_time_left_goes_by_the_speed_of_late(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]
    monkeypatch.setattr("app.analysis.batch.time.monotonic", lambda: now[0])
    batch, script = begin(1000, 500)
    script.tell(Progress(0, 10))
    assert batch.state().seconds_left is None  # too early to say
    for _ in range(20):
        now[0] += 1.0
        script.tell(Progress(0, 10 + round(now[0] - 1000.0) * 20))
    state = batch.state()
    assert state.speed == pytest.approx(20.0)
    assert state.seconds_left == pytest.approx((1000 - 410 + 500) / 20)
    now[0] += 80.0  # it hangs, and the estimate grows with it
    assert (batch.state().seconds_left or 0) > 200
    script.end.set()
    batch.wait(10)


def test_nobody_claims_to_know_what_a_header_does_not_say() -> None:
    batch, script = begin(None, 100)
    script.tell(Progress(0, 30))
    state = batch.state()
    assert state.files[0].share is None
    assert state.seconds_left is None
    script.tell(Outcome(1, DONE))
    assert batch.state().share == 0.5
    script.end.set()
    batch.wait(10)


def test_a_stop_leaves_nothing_without_an_outcome() -> None:
    batch, script = begin(100, 100)
    script.tell(Outcome(0, DONE))
    batch.stop()
    assert batch.wait(10)
    state = batch.state()
    assert not state.running
    assert [file.status for file in state.files] == [DONE, STOPPED]


@pytest.mark.parametrize(
    ("error", "said"),
    [(SettingsError("No workers."), "No workers."), (ValueError("odd"), "ValueError: odd")],
)
def test_a_run_that_fails_says_why(error: Exception, said: str) -> None:
    batch, script = begin(100)
    script.error = error
    script.end.set()
    assert batch.wait(10)
    assert said in batch.state().error


def test_a_batch_says_in_words_how_it_goes() -> None:
    batch, script = begin(100, 100, 100)
    assert progress_line(batch.state()) == "0 of 3  ·  0 %  ·  starting"
    script.tell(Outcome(0, DONE, Path("out/a"), frames=100, seconds=2.0))
    script.tell(Outcome(1, FAILED, note="It is broken."))
    script.tell(Progress(2, 50))
    state = batch.state()
    assert progress_line(state) == "2 of 3  ·  83 %  ·  film 2.mp4"
    assert outcome_line(state.files[0]) == "film 0.mp4: 100 frames, 50 frames/s"
    assert outcome_line(state.files[1]) == "error: It is broken."
    batch.stop()
    batch.wait(10)
    assert total_line(batch.state()) == "1 done, 1 failed, 1 not done"


def test_a_stop_takes_nothing_from_the_summary(tmp_path: Path) -> None:
    batch, script = begin(100, 100, 100)
    script.tell(Outcome(0, DONE, Path("out/a"), frames=100, faces=90, seconds=2.0))
    script.tell(Outcome(1, FAILED, note="It is broken."))
    batch.stop()
    assert batch.wait(10)
    write_summary(batch.state(), tmp_path)
    first = (tmp_path / "summary.csv").read_text("utf-8").splitlines()[1:]
    assert first == [
        "film 0.mp4,done,a,100,90,2.00,", "film 1.mp4,failed,,,,,It is broken.",
        "film 2.mp4,stopped,,,,,",
    ]  # fmt: skip
    batch, script = begin(100, 100, 100, 100)
    script.tell(Outcome(3, DONE, Path("out/d"), frames=100, faces=90, seconds=2.0))
    batch.stop()
    assert batch.wait(10)
    write_summary(batch.state(), tmp_path)
    again = (tmp_path / "summary.csv").read_text("utf-8").splitlines()[1:]
    assert again == [*first, "film 3.mp4,done,d,100,90,2.00,"]


def test_the_end_is_seen_even_by_one_who_waits_long() -> None:
    batch, script = begin(100)
    threading.Timer(0.05, script.end.set).start()
    begun = time.perf_counter()
    assert batch.wait(30)
    assert time.perf_counter() - begun < 20


def test_a_folder_in_which_nothing_was_written_for_a_while_is_seen_to_be_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By another computer, which knows nothing of our processes; rows are written by thousands."""
    lock(tmp_path)
    monkeypatch.setattr("app.sessions.folder.platform.node", lambda: "elsewhere")
    assert in_use(tmp_path)
    old = time.time() - 120
    os.utime(tmp_path / "recording.lock", (old, old))
    assert not in_use(tmp_path)
    monkeypatch.setattr("app.analysis.job._ALIVE_SECONDS", 0.0)
    results: list[Any] = [object(), object()]
    assert list(_kept(iter(results), lambda _: None, tmp_path)) == results
    assert in_use(tmp_path)
    (tmp_path / "recording.lock").unlink()
    assert list(_kept(iter(results), lambda _: None, tmp_path)) == results, "nor is it needed"
