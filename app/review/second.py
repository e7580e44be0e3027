"""Read a session again with another model: the same faces on the same pictures."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.live.baseline import QUIET_SECONDS, neutral_logs, neutral_offset
from app.live.smoother import Smoother
from app.messages import Box, Face
from app.review.look_again import look_again
from app.review.pictures import Pictures
from app.review.recording import LandmarkReader, Recording, ReviewError
from models.runtime.base_rates import BaseRates, in_brief, reweighted, unweighted
from models.runtime.classifier import OnnxClassifier
from models.runtime.files import written_whole
from models.runtime.prediction import Prediction

__all__ = [
    "Second",
    "Stopped",
    "read_again",
    "read_second",
    "reweigh",
    "reweighed_name",
    "second_file",
    "second_files",
    "write_second",
]

_PREFIX = "reading."
_METADATA = b"mien.reading"


class Stopped(Exception):  # noqa: N818 (a wish, not a fault)
    """Say that the user wants it to end."""


@dataclass(frozen=True, slots=True, eq=False)
class Second:
    """Hold what another model says of the rows of a recording.

    model: its name. labels: in the order of its card. shown: (C, N) smoothed probabilities, NaN
    where there was no picture; where the recorded ones are relative to a neutral face these are,
    too, if `relative`. decided: (N,) index of the label, -1 where unsure or not read. read: (N,)
    whether the row was read.
    """

    model: str
    labels: tuple[str, ...]
    shown: NDArray[np.float32]
    decided: NDArray[np.int16]
    read: NDArray[np.bool_]
    relative: bool = False


def read_again(
    recording: Recording,
    pictures: Pictures,
    classifier: OnnxClassifier,
    *,
    report: Callable[[int, int], object],
    stopped: Callable[[], bool],
) -> Second:
    """Classify every row of a recording with another model.

    The faces are those that were recorded, box and landmarks, so that only the model differs;
    probabilities are smoothed, corrected by a neutral face where the recorded ones are, and labels
    decided as the live program does. report: hears of frames done and frames in all. stopped:
    asked between frames; raises `Stopped`. Raises `ReviewError` when not one picture can be had.
    """
    raw = np.full((len(classifier.labels), len(recording.tracks)), np.nan, np.float32)
    landmarks = LandmarkReader(recording)
    frames = np.unique(recording.row_frames)
    try:
        for done, frame in enumerate(frames.tolist()):
            if stopped():
                raise Stopped
            image = pictures.picture(frame)
            if image is not None:
                rows = recording.rows_of_frame(frame).tolist()
                predictions = _classify(recording, rows, image, landmarks, classifier)
                for row, prediction in zip(rows, predictions, strict=True):
                    raw[:, row] = prediction.probabilities
            report(done + 1, len(frames))
    finally:
        landmarks.close()
    if raw.size and not np.isfinite(raw).any():
        raise ReviewError(
            "No picture of this session could be read, so there is nothing to classify; open a "
            "session that was recorded with video, or whose file is still where it was."
        )
    return _as_shown(recording, classifier, raw)


def reweigh(recording: Recording, classifier: OnnxClassifier) -> Second:
    """Return what the model that read a recording would have said by other base rates.

    classifier: that model, with these. Needs no pictures, since its probabilities were recorded.
    """
    measured = classifier.card.base_rates.get(classifier.crops)
    before = recording.base_rates.weights(recording.labels, measured)
    plain = unweighted(recording.raw.T, before).astype(np.float32)
    second = _as_shown(recording, classifier, reweighted(plain, classifier.rate_weights).T)
    return replace(second, model=reweighed_name(recording.model_name, classifier.base_rates))


def reweighed_name(model: str, rates: BaseRates) -> str:
    """Return what a second reading by the same model is called."""
    return f"{model}, {in_brief(rates) or 'base rates as measured'}"


def _as_shown(recording: Recording, classifier: OnnxClassifier, raw: NDArray[np.float32]) -> Second:
    """Smooth, correct and decide as the live program does; raw: (C, N), NaN where not read."""
    labels = classifier.labels
    places = {label: place for place, label in enumerate(labels)}
    read = np.asarray(np.isfinite(raw).all(axis=0), bool)
    shown = np.full_like(raw, np.nan)
    decided = np.full(len(read), -1, np.int16)
    plain = unweighted(raw.T, classifier.rate_weights).T.astype(np.float32)
    offsets = _offsets(recording, plain, classifier.neutral_logs)
    smoother = Smoother(**_smoothing(recording))
    smoother.unsure_below = classifier.unsure_below
    for row in np.flatnonzero(read).tolist():
        prediction = Prediction(raw[:, row], labels)
        time, offset = float(recording.times[row]), offsets.get(row)
        said = smoother.update(int(recording.tracks[row]), prediction, time, offset)
        shown[:, row] = said.probabilities if said.corrected is None else said.corrected
        if not said.unsure:
            decided[row] = places[said.label]
    missing = [row for row in np.flatnonzero(read & recording.relative).tolist()
               if row not in offsets]  # fmt: skip
    return Second(
        classifier.card.name, labels, shown, decided, read,
        relative=recording.corrected and not missing,
    )  # fmt: skip


def _offsets(
    recording: Recording, raw: NDArray[np.float32], usual: NDArray[np.float64] | None
) -> dict[int, NDArray[np.float64]]:
    """Return by row what the neutral face adds to this model's logarithms.

    raw: (C, N) by this model, whatever base rates it goes by, as if by those it was measured with.
    A neutral face was measured where a track's corrected rows begin, over the quiet seconds before:
    the model reads the same ones. usual: of its card, None where that knows no neutral faces.
    """
    offsets: dict[int, NDArray[np.float64]] = {}
    if usual is None or not recording.corrected:
        return offsets
    read = np.asarray(np.isfinite(raw).all(axis=0), bool)
    for track in np.unique(recording.tracks[recording.relative]).tolist():
        rows = np.flatnonzero(recording.tracks == track)
        relative, times = recording.relative[rows], recording.times[rows]
        changes = np.flatnonzero(np.diff(np.concatenate([[False], relative, [False]])))
        for begin, end in changes.reshape(-1, 2).tolist():
            quiet = (times >= times[begin] - QUIET_SECONDS) & (times < times[begin]) & read[rows]
            if quiet.any():
                mean = neutral_logs(raw[:, rows[quiet]]).mean(axis=1)
                offset = neutral_offset(mean, usual)
                offsets |= dict.fromkeys(rows[begin:end].tolist(), offset)
    return offsets


def write_second(folder: Path, second: Second) -> Path:
    """Keep a second reading beside a session and return its file. Raises `ReviewError`."""
    path = second_file(folder, second.model)
    described: dict[str, Any] = {"model": second.model, "labels": list(second.labels)}
    described["relative"] = second.relative
    columns = {f"smooth_{label}": second.shown[place] for place, label in enumerate(second.labels)}
    columns |= {"decided": second.decided, "read": second.read}
    table = pa.table(columns).replace_schema_metadata({_METADATA: json.dumps(described)})
    try:
        with written_whole(path) as partial:
            pq.write_table(table, partial, compression="zstd")
    except OSError as error:
        raise ReviewError(
            f'The second reading cannot be kept in "{path}" ({error.strerror or error}); free '
            f"some space or copy the session to a folder that can be written."
        ) from error
    return path


def second_file(folder: Path, model: str) -> Path:
    """Return where the second reading by a model lies beside a session, if there is one."""
    return folder / f"{_PREFIX}{_safe(model)}.parquet"


def second_files(folder: Path) -> list[Path]:
    """Return the second readings that lie beside a session."""
    return sorted(folder.glob(f"{_PREFIX}*.parquet"))


def read_second(path: Path, recording: Recording) -> Second:
    """Open a second reading. Raises `ReviewError` for one that does not fit the recording."""
    try:
        table = pq.read_table(path)
        described = json.loads((table.schema.metadata or {})[_METADATA])
        labels = tuple(str(label) for label in described["labels"])
        shown = np.stack([table[f"smooth_{label}"].to_numpy() for label in labels])
        decided, read = table["decided"].to_numpy(), table["read"].to_numpy()
    except (OSError, ValueError, KeyError, pa.ArrowException) as error:
        raise ReviewError(
            f'The second reading "{path.name}" cannot be opened ({error}); remove it and read the '
            f"session again."
        ) from error
    if len(read) != len(recording.tracks):
        raise ReviewError(
            f'The second reading "{path.name}" has {len(read)} rows, expected '
            f"{len(recording.tracks)} as the session has; remove it and read the session again."
        )
    relative = described.get("relative") is True
    return Second(str(described["model"]), labels, shown, decided, read, relative)


def _classify(
    recording: Recording,
    rows: list[int],
    image: NDArray[np.uint8],
    landmarks: LandmarkReader,
    classifier: OnnxClassifier,
) -> list[Prediction]:
    faces = []
    for row in rows:
        x, y, width, height = (float(value) for value in recording.boxes[row])
        faces.append(Face(Box(x, y, x + width, y + height), 0.0, landmarks.of_row(row)))
    return [said for _, said in look_again(image, faces, classifier)]


def _smoothing(recording: Recording) -> dict[str, float]:
    """Return how the session was smoothed, as far as it says."""
    for part in ("settings", "analysis"):
        stored = recording.info.get(part)
        seconds = stored.get("smoothing_seconds") if isinstance(stored, dict) else None
        if isinstance(seconds, int | float):
            return {"time_constant": float(seconds)}
    return {}


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "_", name)[:80] or "model"
