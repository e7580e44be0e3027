"""What the user wants analysed, across several runs: a list that grows, shrinks and is resumed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from app.analysis.batch import RUNNING, WAITING, Batch, BatchState, Run
from app.analysis.inputs import Input
from app.analysis.job import DONE, SKIPPED, Job, Outcome

__all__ = ["AnalysisQueue", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Hold one input of the queue.

    number: tells entries apart, also those that look alike. status, frames, outcome: as
    `FileState` has them. planned: it belongs to the run that is going on.
    """

    number: int
    source: Input
    status: str = WAITING
    frames: int = 0
    outcome: Outcome | None = None
    planned: bool = False

    @property
    def finished(self) -> bool:
        """Say whether its session is there."""
        return self.status in (DONE, SKIPPED)

    @property
    def share(self) -> float | None:
        """Return how much of it is done, 0 to 1; None while nobody can say."""
        if self.finished:
            return 1.0
        total = self.source.frames
        return min(1.0, self.frames / total) if total and self.status == RUNNING else None


class AnalysisQueue:
    """Hold the entries and the run that works them off; for one thread alone."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._next = 0
        self._batch: Batch | None = None
        self._numbers: list[int] = []
        self._state = BatchState(())

    @property
    def entries(self) -> Sequence[Entry]:
        return self._entries

    @property
    def state(self) -> BatchState:
        """Return how the run goes that is going on, or how the last one went."""
        return self._state

    @property
    def running(self) -> bool:
        return self._batch is not None

    @property
    def unfinished(self) -> list[Entry]:
        """Return what a run would have to do."""
        return [entry for entry in self._entries if not entry.finished]

    def add(self, inputs: Sequence[Input]) -> int:
        """Put inputs at the end, those that wait already left out; return how many are new."""
        known = {entry.source.paths for entry in self._entries if not entry.finished}
        new = [source for source in inputs if source.paths not in known]
        for source in new:
            self._entries.append(Entry(self._next, source))
            self._next += 1
        return len(new)

    def remove(self, numbers: Collection[int]) -> int:
        """Take entries out but for those of the run; return how many are gone."""
        before = len(self._entries)
        self._entries = [
            entry for entry in self._entries if entry.number not in numbers or entry.planned
        ]
        return before - len(self._entries)

    def begin(self, entries: Sequence[Entry], jobs: Sequence[Job], run: Run) -> None:
        """Begin to work off entries. jobs: one for each, numbered by their place from 0."""
        assert self._batch is None
        self._numbers = [entry.number for entry in entries]
        fresh = {number: Entry(number, job.source, planned=True) for number, job in zip(
            self._numbers, jobs, strict=True)}  # fmt: skip
        self._entries = [fresh.get(entry.number, entry) for entry in self._entries]
        self._batch = Batch(jobs, run)
        self._batch.start()
        self._state = self._batch.state()

    def stop(self) -> None:
        """Give up what runs; `poll` hears of the end."""
        if self._batch is not None:
            self._batch.stop()

    def poll(self) -> bool:
        """Bring the entries up to date; return whether the run has just ended."""
        batch = self._batch
        if batch is None:
            return False
        self._state = batch.state()
        ended = not self._state.running
        states = dict(zip(self._numbers, self._state.files, strict=True))
        self._entries = [
            replace(
                entry,
                status=states[entry.number].status,
                frames=states[entry.number].frames,
                outcome=states[entry.number].outcome,
                planned=not ended,
            )
            if entry.planned and entry.number in states
            else entry
            for entry in self._entries
        ]
        if ended:
            self._batch = None
        return ended

    def close(self, seconds: float) -> None:
        """Give up what runs and wait for its end, at most so long."""
        if self._batch is not None:
            self._batch.stop()
            self._batch.wait(seconds)
