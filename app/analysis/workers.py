"""Processes on this machine that work jobs off; one that dies takes only its own job along."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections import deque
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection, wait

from app.analysis.job import FAILED, STOPPED, Job, Outcome, Progress, run_job

Tell = Callable[[Progress | Outcome], None]

_LOOK_SECONDS = 0.1
_END_SECONDS = 10.0


def run_here(jobs: Sequence[Job], tell: Tell, stop: threading.Event) -> None:
    """Work the jobs off one after the other, in this thread."""
    for job in jobs:
        tell(_stopped(job) if stop.is_set() else run_job(job, tell, stop.is_set))


def run_in_processes(
    jobs: Sequence[Job], tell: Tell, stop: threading.Event, *, workers: int
) -> None:
    """Work the jobs off in so many processes, each with one thread.

    tell: hears of progress and of one outcome a job, all on this thread. stop: when set, what
    runs is given up and the rest is not begun.
    """
    waiting = deque(jobs)
    crew = [_Worker() for _ in range(min(workers, len(jobs)))]
    try:
        while waiting or any(worker.job for worker in crew):
            if stop.is_set():
                while waiting:
                    tell(_stopped(waiting.popleft()))
                for worker in crew:
                    worker.dismiss()
            for place, worker in enumerate(crew):
                if worker.dead and waiting:
                    worker.close()
                    crew[place] = worker = _Worker()
                if worker.job is None and waiting:
                    worker.give(waiting.popleft())
            _listen(crew, tell)
    finally:
        for worker in crew:
            worker.close()


def _listen(crew: Sequence[_Worker], tell: Tell) -> None:
    """Pass on what the workers say within the next moment."""
    busy = {worker.pipe: worker for worker in crew if worker.job is not None}
    for pipe in wait(list(busy), _LOOK_SECONDS) if busy else []:
        worker = busy[pipe]  # type: ignore[index]  # only what was given comes back
        message = worker.receive()
        if message is not None:
            tell(message)


class _Worker:
    """Hold a process, the pipe to it and the job it is at."""

    def __init__(self) -> None:
        # Not forked: OpenCV and ONNX Runtime have threads that a fork would leave behind.
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.job: Job | None = None
        self.dead = False
        self._dismissed = False
        self._process = context.Process(
            target=_work, args=(theirs,), name="mien-analysis", daemon=True
        )
        self._process.start()
        theirs.close()  # so that its end is seen when the process dies

    def give(self, job: Job) -> None:
        self.job = job
        # One that has just died is found out when it is listened to.
        with contextlib.suppress(OSError):
            self.pipe.send(job)

    def receive(self) -> Progress | Outcome | None:
        """Return what the process says; the failure of its job when it has died over it."""
        assert self.job is not None
        job = self.job
        try:
            message: Progress | Outcome = self.pipe.recv()
        except (EOFError, OSError):
            self.dead, self.job = True, None
            if self._dismissed:
                return _stopped(job)
            self._process.join(_END_SECONDS)
            return Outcome(
                job.number,
                FAILED,
                note=f'The analysis of "{job.source.place}" ended without a word (status '
                f"{self._process.exitcode}): the file may be damaged, or the memory full; try it "
                f"again by itself.",
            )
        if isinstance(message, Outcome):
            self.job = None
        return message

    def dismiss(self) -> None:
        """Ask the process to give up what it does and to end."""
        if not self._dismissed:
            self._dismissed = True
            with contextlib.suppress(OSError):
                self.pipe.send(None)

    def close(self) -> None:
        """End the process, if need be by force."""
        self.dismiss()
        self._process.join(_END_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self.pipe.close()
        self._process.close()


def _work(pipe: Connection) -> None:
    """Work off what comes through the pipe until None comes or its other end is gone."""
    # Ctrl-C in a terminal reaches every process; what is to be done then, the first one says.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with contextlib.suppress(EOFError, OSError):
        while (job := pipe.recv()) is not None:
            # Whatever comes while a job runs, if only the end of the pipe, is the wish to stop.
            pipe.send(run_job(job, pipe.send, pipe.poll))


def _stopped(job: Job) -> Outcome:
    return Outcome(job.number, STOPPED)
