"""One input from beginning to end: read, found, classified, written as a session folder."""

from __future__ import annotations

import contextlib
import glob
import logging
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from app.analysis.film import Keep, film_beside
from app.analysis.frames import Frames, open_frames
from app.analysis.identity import Interrupted, fingerprint
from app.analysis.inputs import IMAGES, Input
from app.analysis.parts import AnalysisOptions, Parts, borrowed_parts, how
from app.analysis.table import FolderWriter
from app.live.parts import FramePipeline
from app.messages import FrameResult
from app.sessions.folder import TABLE, in_use, lock, read_info, stay_locked, unlock
from models.runtime.errors import UserError

log = logging.getLogger(__name__)

DONE, SKIPPED, FAILED, STOPPED = "done", "skipped", "failed", "stopped"
PARTIAL = ".partial"
_REPORT_SECONDS = 0.2
_ALIVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Job:
    """Hold what one worker is asked to do; can be sent to another process or machine.

    number: tells jobs of a batch apart. name: of the session folder inside `folder`. finished:
    the session folders that are there already, by fingerprint.
    """

    number: int
    source: Input
    folder: Path
    name: str
    options: AnalysisOptions
    finished: dict[str, Path]


@dataclass(frozen=True, slots=True)
class Progress:
    """Say how many frames of a job were read so far, those between every N-th included."""

    number: int
    frames: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """Say what came of a job.

    status: `DONE`; `SKIPPED`, its session was there already; `FAILED`; or `STOPPED` by the user.
    folder: of the session, where there is one. note: one sentence, why it failed or what went
    amiss on the way; empty when all is well. frames: in the table. faces: rows that hold one.
    seen: frames with a face. most: faces on the frame that has the most of them. seconds: it took,
    0 where nothing was done.
    """

    number: int
    status: str
    folder: Path | None = None
    note: str = ""
    frames: int = 0
    faces: int = 0
    seen: int = 0
    most: int = 0
    seconds: float = 0.0


def run_job(job: Job, report: Callable[[Progress], object], stopped: Callable[[], bool]) -> Outcome:
    """Do a job and say what came of it; nothing but the end of the program is raised.

    report: hears a few times a second how far it is. stopped: asked between frames.
    What is written is the same whoever does it: each input begins with no faces known, and
    OpenCV and ONNX Runtime keep to one thread.
    """
    begun = time.monotonic()
    try:
        return _run(job, report, stopped)
    except Interrupted:
        return Outcome(job.number, STOPPED, seconds=time.monotonic() - begun)
    except (UserError, OSError, MemoryError) as error:
        note = str(error) if isinstance(error, UserError) else _system_sentence(job, error)
    except Exception as error:
        log.warning("analysis failed", exc_info=error)
        note = (
            f'"{job.source.place}" could not be analysed ({type(error).__name__}: {error}); the '
            f"other files go on."
        )
    return Outcome(job.number, FAILED, note=note, seconds=time.monotonic() - begun)


def _run(job: Job, report: Callable[[Progress], object], stopped: Callable[[], bool]) -> Outcome:
    with borrowed_parts(job.options) as parts:
        return _analyse(job, parts, report, stopped)


def _analyse(
    job: Job, parts: Parts, report: Callable[[Progress], object], stopped: Callable[[], bool]
) -> Outcome:
    begun = time.monotonic()  # loading is done once, whatever the number of inputs
    cv2.setNumThreads(1)  # after the finder, which sets another number
    described = how(job.options, parts)
    names = [path.name for path in job.source.paths] if job.source.kind == IMAGES else []
    told_by = {**described, "kind": job.source.kind, "names": names}
    mark = fingerprint(job.source.paths, told_by, stopped)
    if mark in job.finished:
        return _already(job.number, job.finished[mark])
    target = job.folder / job.name
    with open_frames(job.source, job.options.every) as frames, _unfinished(target) as partial:
        writer = FolderWriter(partial, job.source, parts.classifier, mark, described)
        results = _results(job, parts.pipeline(), frames, report, stopped)
        with film_beside(partial, wanted=job.options.video) as keep:
            writer.write(_kept(results, keep, partial), frames)
        writer.export(job.options.table)
        seen, most = _count_faces(partial)
        folder = _take_name(partial, target)
    return Outcome(
        job.number,
        DONE,
        folder,
        note=frames.notice,
        frames=writer.frames,
        faces=writer.faces,
        seen=seen,
        most=most,
        seconds=time.monotonic() - begun,
    )


def _already(number: int, folder: Path) -> Outcome:
    """Return what came of an input earlier, so that a resumed summary says as much as the first."""
    info = read_info(folder)
    counts = info.get("counts", {})
    seen, most = _count_faces(folder)
    return Outcome(
        number,
        SKIPPED,
        folder,
        note=info.get("source", {}).get("notice", ""),
        frames=counts.get("frames", 0),
        faces=counts.get("faces", 0),
        seen=seen,
        most=most,
    )


def _count_faces(folder: Path) -> tuple[int, int]:
    """Return how many frames of a session show a face, and how many faces one shows at most."""
    table = pq.read_table(folder / TABLE, columns=["frame", "face_id"])
    frames = table["frame"].filter(pc.is_valid(table["face_id"])).to_numpy()
    counts = np.unique(frames, return_counts=True)[1]
    return len(counts), int(counts.max(initial=0))


def _results(
    job: Job,
    pipeline: FramePipeline,
    frames: Frames,
    report: Callable[[Progress], object],
    stopped: Callable[[], bool],
) -> Iterator[FrameResult]:
    """Yield a result for each frame; raises `Interrupted` on a stop."""
    reported_at = float("-inf")
    for frame in frames:
        if stopped():
            raise Interrupted
        now = time.monotonic()
        if now - reported_at >= _REPORT_SECONDS:
            reported_at = now
            report(Progress(job.number, frames.read))
        if job.source.kind == IMAGES:
            pipeline.reset()
        yield pipeline.process(frame)
    report(Progress(job.number, frames.read))


def _kept(results: Iterator[FrameResult], keep: Keep, folder: Path) -> Iterator[FrameResult]:
    alive_at = time.monotonic()
    for result in results:
        if time.monotonic() - alive_at >= _ALIVE_SECONDS:  # rows go to the disk in thousands
            alive_at = time.monotonic()
            stay_locked(folder)
        keep(result)
        yield result


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """Give a new folder beside the target to write into; what it has not become in the end goes.

    Others may be at work on an input of that name, so each has a folder of its own.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f".{glob.escape(target.name)}.*{PARTIAL}"):
        if not in_use(left):  # of one that was killed
            shutil.rmtree(left, ignore_errors=True)
    begun = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
    partial = begun.with_name(begun.name + PARTIAL)
    try:
        begun.mkdir()
        lock(begun)  # before it has the name of those that are looked through
        begun.rename(partial)
        yield partial
    finally:
        for folder in (begun, partial):
            shutil.rmtree(folder, ignore_errors=True)


def _take_name(partial: Path, target: Path) -> Path:
    """Give a finished folder its name, or one beside it that is free, and return it."""
    number = 1
    place = target
    while True:
        if not place.exists():
            try:
                partial.rename(place)
            except OSError:
                if not place.exists():  # else another one took the name at this moment
                    raise
            else:
                unlock(place)  # not before: another one would take it for left behind
                return place
        number += 1
        place = target.with_name(f"{target.name}-{number}")


def _system_sentence(job: Job, error: OSError | MemoryError) -> str:
    if isinstance(error, MemoryError):
        return (
            f'"{job.source.place}" takes more memory than there is; close other programs or use '
            f"fewer workers."
        )
    where = f' at "{error.filename}"' if error.filename else ""
    return (
        f'"{job.source.place}" could not be analysed ({error.strerror or error}{where}); make '
        f"room, or correct the path or its permissions."
    )
