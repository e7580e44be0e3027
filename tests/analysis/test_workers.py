"""Several processes, several machines: the same tables, and no end takes others along."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from app.analysis.batch import Batch
from app.analysis.inputs import find_inputs
from app.analysis.job import DONE, FAILED, STOPPED, Job, Outcome, Progress
from app.analysis.parts import AnalysisOptions
from app.analysis.plan import plan, runner
from app.errors import SettingsError
from tests.analysis.conftest import actor_frames, write_film

TABLES = ("one/frames.parquet", "two/frames.parquet", "photos/frames.parquet")


def jobs_for(films: Path, out: Path) -> list[Job]:
    return plan(find_inputs([str(films)]), out, AnalysisOptions(), resume=False)


@pytest.fixture(scope="module")
def alone(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what is made in this process."""
    out = tmp_path_factory.mktemp("alone")
    outcomes = work(jobs_for(films, out), workers=1, here=True)
    assert [outcome.status for outcome in outcomes] == [DONE] * 3
    return out


def work(
    jobs: list[Job], *, workers: int = 1, scheduler: str | None = None, here: bool = False
) -> list[Outcome]:
    found: dict[int, Outcome] = {}

    def hear(message: Progress | Outcome) -> None:
        if isinstance(message, Outcome):
            assert message.number not in found
            found[message.number] = message

    runner(workers=workers, scheduler=scheduler, here=here)(jobs, hear, threading.Event())
    return [found[job.number] for job in jobs]


def assert_same_tables(one: Path, other: Path) -> None:
    for table in TABLES:
        assert (one / table).read_bytes() == (other / table).read_bytes()


def test_two_processes_make_the_same_tables_as_none(
    films: Path, alone: Path, tmp_path: Path
) -> None:
    outcomes = work(jobs_for(films, tmp_path), workers=2)
    assert [outcome.status for outcome in outcomes] == [DONE] * 3
    assert_same_tables(alone, tmp_path)


def test_a_process_that_dies_fails_its_own_file_only(
    films: Path, long_film: Path, tmp_path: Path
) -> None:
    # A long one first, so that the process dies amid its work.
    inputs = find_inputs([str(long_film), str(films / "two.mp4"), str(films / "photos")])
    jobs = plan(inputs, tmp_path / "out", AnalysisOptions(), resume=False)
    heard: list[Progress | Outcome] = []
    killed: list[int] = []

    def hear(message: Progress | Outcome) -> None:
        heard.append(message)
        if isinstance(message, Progress) and not killed:
            (worker,) = [
                child
                for child in psutil.Process().children()
                if "spawn_main" in " ".join(child.cmdline())
            ]
            killed.append(message.number)
            os.kill(worker.pid, signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM)

    runner(workers=1)(jobs, hear, threading.Event())
    outcomes = {message.number: message for message in heard if isinstance(message, Outcome)}
    assert [outcomes[number].status for number in killed] == [FAILED]
    assert "ended without a word" in outcomes[killed[0]].note
    assert sorted(outcome.status for outcome in outcomes.values()) == [DONE, DONE, FAILED]


def test_a_stop_ends_the_processes_and_leaves_nothing_half_done(
    long_film: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    jobs = plan(find_inputs([str(long_film)]), out, AnalysisOptions(), resume=False)
    batch = Batch(jobs, runner(workers=1))
    batch.start()
    deadline = time.monotonic() + 60
    while not list(out.glob(".*.partial")):
        assert time.monotonic() < deadline, "it never began"
        time.sleep(0.01)
    batch.stop()
    assert batch.wait(60)
    assert [file.status for file in batch.state().files] == [STOPPED]
    assert list(out.iterdir()) == []
    left = [" ".join(child.cmdline()) for child in psutil.Process().children()]
    assert not [words for words in left if "spawn_main" in words]


def test_numbers_of_workers_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SettingsError, match="1 to 64 workers, found 0"):
        runner(workers=0)


def test_two_workers_of_a_cluster_make_the_same_tables(
    films: Path, alone: Path, tmp_path: Path
) -> None:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, protocol="tcp",
        dashboard_address=None, host="127.0.0.1", silence_logs=50,
    ) as cluster:  # fmt: skip
        outcomes = work(jobs_for(films, tmp_path), scheduler=cluster.scheduler_address)
    assert [outcome.status for outcome in outcomes] == [DONE] * 3
    assert_same_tables(alone, tmp_path)


def test_no_scheduler_and_no_library_are_one_sentence(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("app.analysis.cluster._CONNECT_SECONDS", 0.5)
    jobs = jobs_for(films, tmp_path)
    with pytest.raises(SettingsError, match="found none that answers"):
        work(jobs, scheduler="tcp://127.0.0.1:9")
    for nonsense in ("nonsense", "tcp://10.0.0.1", "localhost:99999", "http://localhost:8786", ""):
        with pytest.raises(SettingsError, match="Expected the address of a Dask scheduler"):
            work(jobs, scheduler=nonsense)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(SettingsError, match=r'pip install -e "\.\[cluster\]"'):
        work(jobs, scheduler="tcp://127.0.0.1:9")


def test_an_outcome_counts_the_frames_with_a_face_also_when_it_was_there_already(
    tmp_path: Path,
) -> None:
    face, nobody = actor_frames()[0], np.zeros_like(actor_frames()[0])
    film = write_film(tmp_path / "film.mp4", [nobody] * 2 + [face] * 3 + [nobody])
    counted = []
    for resume, status in ((False, "done"), (True, "skipped")):
        inputs = find_inputs([str(film)])
        jobs = plan(inputs, tmp_path / "out", AnalysisOptions(), resume=resume)
        (outcome,) = work(jobs, here=True)
        assert (outcome.status, outcome.frames) == (status, 6)
        assert 1 <= outcome.seen == outcome.faces <= 3
        assert outcome.most == 1
        counted.append(outcome.seen)
    assert counted[0] == counted[1]
