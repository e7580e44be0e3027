"""Open sessions, and videos that are analysed first, without making the window wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.analysis.batch import Batch
from app.analysis.inputs import find_inputs
from app.analysis.parts import AnalysisOptions
from app.analysis.plan import plan, runner
from app.analysis.summary import progress_line
from app.gui.places import analyses_folder
from app.gui.workspace import Host
from app.review.edits import EditList, read_edits
from app.review.recording import Recording, open_recording
from app.sessions.folder import DAMAGED

__all__ = ["Opened", "Opener"]


@dataclass(frozen=True, slots=True, eq=False)
class Opened:
    """Hold a session with its edits."""

    recording: Recording
    edits: EditList


class Opener:
    """Open what the user names; `tick` says how far it is and hands over what is ready.

    Of several wishes the newest counts: what comes later of an older one is not shown.
    """

    def __init__(
        self,
        host: Host,
        opened: Callable[[Opened], None],
        begun: Callable[[], None],
        progress: Callable[[float | None, str, str], None],
    ) -> None:
        """Take what is called.

        begun: when an analysis has begun, whose progress is to be seen. progress: with share,
        title and words as `EmptyPage` has them.
        """
        self._host = host
        self._opened = opened
        self._begun = begun
        self._progress = progress
        self._batch: Batch | None = None
        self._name = self._line = ""
        self._newest = self._analysing = 0
        self._waiting = False

    @property
    def analysed(self) -> str:
        """Return the name of what is being analysed, "" for nothing."""
        return self._name if self._batch is not None else ""

    @property
    def progress(self) -> str:
        """Return in words how far an analysis is, "" while there is none."""
        return self._line if self._batch is not None else ""

    def open_session(self, folder: Path) -> None:
        """Open a session's folder."""
        wish = self._wait_for(folder.name)
        self._host.jobs.submit(
            lambda: Opened(open_recording(folder), read_edits(folder)),
            lambda opened: self._take(wish, opened),
            lambda sentence: self._fail(wish, sentence),
        )

    def analyse(self, path: Path, options: AnalysisOptions, results: Path | None) -> None:
        """Analyse a video, an image or a folder, then open what comes of it.

        results: where its session goes, None for the usual place.
        """
        if self._batch is not None:
            self._host.warn(
                f"{self._name} is being analysed; wait for it, or stop it (File > Stop analysis)."
            )
            return
        wish = self._wait_for(path.name)
        self._host.jobs.submit(
            lambda: Batch(
                plan(find_inputs([str(path)]), results or analyses_folder(), options, resume=True),
                runner(workers=1),
            ),
            lambda batch: self._begin(wish, path.name, batch),
            lambda sentence: self._fail(wish, sentence),
        )

    def stop(self) -> None:
        """Give up what is waited for, or else the analysis that goes on."""
        if self._waiting:
            self._end_waiting(self._newest)
            self._newest += 1  # nothing waits for what may still come of it
        else:
            self.stop_analysis()

    def stop_analysis(self) -> None:
        """Give up the analysis that goes on, if there is one."""
        if self._batch is not None:
            self._batch.stop()

    def tick(self) -> None:
        """Show how far an analysis is, and open its session when it is done."""
        if self._batch is None:
            return
        state = self._batch.state()
        self._line = progress_line(state)
        if not self._waiting:
            self._progress(state.share, f"Analysing {self._name}", self._line)
        if state.running:
            return
        self._batch = None
        if not self._waiting:
            self._progress(None, "", "")
        outcomes = [file.outcome for file in state.files if file.outcome is not None]
        folders = [outcome.folder for outcome in outcomes if outcome.folder is not None]
        notes = [state.error, *(outcome.note for outcome in outcomes)]
        for note in filter(None, notes):
            self._host.warn(note)
        if folders and self._analysing == self._newest:
            self.open_session(folders[0])
        elif folders:
            self._host.notices.say(f"{self._name} is analysed: {folders[0]}")

    def close_down(self) -> None:
        if self._batch is not None:
            self._batch.stop()
            self._batch.wait(10.0)

    def _wait_for(self, name: str) -> int:
        """Begin to wait and return the number of the wish."""
        self._newest += 1
        self._waiting = True
        self._progress(-1.0, f"Opening {name}", "")
        return self._newest

    def _end_waiting(self, wish: int) -> bool:
        """Return whether a wish is the newest; if so, it is waited for no longer."""
        if wish != self._newest:
            return False
        self._waiting = False
        self._progress(None, "", "")
        return True

    def _begin(self, wish: int, name: str, batch: Batch) -> None:
        if self._end_waiting(wish):
            self._batch, self._analysing, self._name = batch, wish, name
            batch.start()
            self._begun()
            self.tick()

    def _take(self, wish: int, opened: Opened) -> None:
        if self._end_waiting(wish):
            self._opened(opened)
            if DAMAGED in str(opened.recording.info.get("why", "")):
                self._host.warn(DAMAGED)

    def _fail(self, wish: int, sentence: str) -> None:
        if self._end_waiting(wish):
            self._host.warn(sentence)
