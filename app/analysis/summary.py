"""How a batch goes, in words: for the terminal, the window and summary.csv."""

from __future__ import annotations

import csv
from pathlib import Path

from app.analysis.batch import RUNNING, BatchState, FileState
from app.analysis.inputs import IMAGES
from app.analysis.job import DONE, FAILED, SKIPPED, STOPPED
from app.errors import SettingsError
from app.words import amount, span
from models.runtime.files import is_file, written_whole

SUMMARY = "summary.csv"
_HEADER = ("input", "status", "folder", "frames", "faces", "seconds", "note")


def progress_line(state: BatchState) -> str:
    """Return one line: files, share, speed and time left, as far as they are known."""
    through = sum(file.outcome is not None for file in state.files)
    parts = [f"{through} of {len(state.files)}", f"{100 * state.share:.0f} %"]
    if state.stopping:
        return "  ·  ".join([*parts, "stopping"])
    if state.speed:
        parts.append(f"{state.speed:.0f} frames/s")
    if state.seconds_left is not None:
        parts.append(f"{span(state.seconds_left, digits=0)} left")
    running = [file.job.source.shown.name for file in state.files if file.status == RUNNING]
    if not running and not through:
        running = ["starting"]
    return "  ·  ".join([*parts, *running[:1]])


def outcome_line(file: FileState) -> str:
    """Return what came of one input; empty for one that the user stopped."""
    outcome, name = file.outcome, file.job.source.place.name
    if outcome is None or outcome.status == STOPPED:
        return ""
    if outcome.status == FAILED:
        return f"error: {outcome.note}"
    if outcome.status == SKIPPED:
        return f'{name}: already in "{outcome.folder}"'
    kind = "image" if file.job.source.kind == IMAGES else "frame"
    speed = f", {outcome.frames / outcome.seconds:.0f} {kind}s/s" if outcome.seconds else ""
    note = f" ({outcome.note})" if outcome.note else ""
    return f"{name}: {amount(outcome.frames, kind)}{speed}{note}"


def total_line(state: BatchState) -> str:
    """Return how many inputs came to which end."""
    counts = [
        (state.count(DONE), "done"),
        (state.count(SKIPPED), "already there"),
        (state.count(FAILED), "failed"),
        (state.count(STOPPED), "not done"),
    ]
    return ", ".join(f"{count} {words}" for count, words in counts if count)


def write_summary(state: BatchState, folder: Path) -> None:
    """Write what came of each input to summary.csv. Raises `SettingsError`.

    Lines from runs before into the same folder stay: those of other inputs come first, and that of
    an input on which this run was stopped still holds. A run in which nothing began writes nothing.
    """
    if not any(file.frames or file.status != STOPPED for file in state.files):
        return
    rows = [tuple(map(str, _row(each))) for each in state.files]
    now = {row[0] for row in rows}
    try:
        earlier = {row[0]: row for row in _read_rows(folder / SUMMARY)}
        rows = [earlier.get(row[0], row) if row[1] == STOPPED else row for row in rows]
        before = [row for name, row in earlier.items() if name not in now]
        with (
            written_whole(folder / SUMMARY) as partial,
            partial.open("w", encoding="utf-8", errors="replace", newline="") as file,
        ):
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(_HEADER)
            writer.writerows([*before, *rows])
    except OSError as error:
        raise SettingsError(
            f'"{folder / SUMMARY}" cannot be written ({error.strerror or error}); make room or '
            f"name another folder."
        ) from error


def _read_rows(path: Path) -> list[tuple[str, ...]]:
    """Return the lines of an older summary, none of what is not one."""
    if not is_file(path):
        return []
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        header, *rows = [tuple(row) for row in csv.reader(file)] or [()]
    return [row for row in rows if len(row) == len(_HEADER)] if header == _HEADER else []


def _row(file: FileState) -> tuple[object, ...]:
    outcome = file.outcome
    if outcome is None:
        return (file.job.source.place, file.status, "", "", "", "", "")
    where = outcome.folder.name if outcome.folder is not None else ""
    there = outcome.status in (DONE, SKIPPED)
    figures = (outcome.frames, outcome.faces) if there else ("", "")
    seconds = f"{outcome.seconds:.2f}" if outcome.status == DONE else ""
    return (file.job.source.place, outcome.status, where, *figures, seconds, outcome.note)
