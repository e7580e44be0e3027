"""A session in columns, made for looking through: nothing is done row by row."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from app.sessions.folder import TABLE, open_session
from app.sessions.schema import LANDMARKS, QUALITIES
from app.sessions.status import NOT_PASSED_OVER
from app.sources.folder import SECONDS_PER_IMAGE
from models.runtime.base_rates import AS_MEASURED, BaseRates
from models.runtime.errors import UserError

__all__ = ["LandmarkReader", "Recording", "ReviewError", "as_recording", "open_recording"]

_BOX = ("box_x", "box_y", "box_width", "box_height")
_GROUPS_KEPT = 6


class ReviewError(UserError):
    """Report an edit, a file or a wish that cannot be followed."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """Hold a session: F frames, and N rows, each one face on one frame, in order of time.

    frame_times: (F,) s from the start. frame_numbers: (F,) as the source counts. media_times: (F,)
    s within a file, NaN for a camera. row_frames: (N,) the frame of each row, 0 to F - 1.
    table_rows: (N,) where each row stands in the stored table, which had table_length rows at the
    opening: a recording that still goes on has more by now. tracks: (N,) as recorded, 1 and up.
    raw, shown: (C, N) probabilities; shown are those corrected by the neutral face where there is
    one, else the smoothed. decided: (N,) index into labels. scores: the finder's. quality: (N,) 0
    to 1, NaN where not measured; qualities: the same for each part. boxes: (N, 4) x, y, width,
    height in px. markers: time (s), key and text, in the order of their lines. dropped: (D,) s,
    frames that were passed over. corrected: whether any row is; relative: (N,) which. files: (F,)
    the names of the images, "" where unknown; empty but for images.
    """

    path: Path
    info: dict[str, Any]
    labels: tuple[str, ...]
    frame_times: NDArray[np.float64]
    frame_numbers: NDArray[np.int64]
    media_times: NDArray[np.float64]
    row_frames: NDArray[np.int64]
    times: NDArray[np.float64]
    table_rows: NDArray[np.int64]
    table_length: int
    tracks: NDArray[np.int32]
    raw: NDArray[np.float32]
    shown: NDArray[np.float32]
    decided: NDArray[np.int16]
    confidence: NDArray[np.float32]
    unsure: NDArray[np.bool_]
    scores: NDArray[np.float32]
    quality: NDArray[np.float32]
    qualities: dict[str, NDArray[np.float32]]
    boxes: NDArray[np.float32]
    markers: tuple[tuple[float, str, str], ...] = ()
    dropped: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    videos: tuple[Path, ...] = ()
    corrected: bool = False
    relative: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, bool))
    finished: bool = True
    files: tuple[str, ...] = ()

    @property
    def duration(self) -> float:
        """Return the seconds from the start to the last frame; 0 for an empty session.

        Of images, which last a second each, to the end of the last one.
        """
        if not len(self.frame_times):
            return 0.0
        return float(self.frame_times[-1]) + (self.spacing if self.of_images else 0.0)

    @property
    def of_images(self) -> bool:
        """Say whether it was made of images, not of a film or a camera."""
        source = self.info.get("source")
        return isinstance(source, dict) and source.get("kind") == "images"

    @property
    def model(self) -> dict[str, Any]:
        """Return what session.json says of the model that read it; empty where it says nothing."""
        model = self.info.get("model")
        return model if isinstance(model, dict) else {}

    @property
    def model_name(self) -> str:
        """Return the name or path of the model that read it, "" where it does not say."""
        return str(self.model.get("name", ""))

    @property
    def base_rates(self) -> BaseRates:
        """Return how common expressions were taken to be; as measured where it does not say."""
        told = self.model.get("base_rates")
        try:
            return BaseRates.parse(told) if isinstance(told, str) else AS_MEASURED
        except UserError:  # of a version to come
            return AS_MEASURED

    @property
    def spacing(self) -> float:
        """Return the usual seconds from one frame to the next."""
        if self.of_images:
            return SECONDS_PER_IMAGE
        if len(self.frame_times) < 2:
            return 1 / 30
        return max(1e-3, float(np.median(np.diff(self.frame_times[:10_000]))))

    @property
    def gap(self) -> float:
        """Return the seconds without a row from which on a face counts as away."""
        return max(0.5, 3 * self.spacing)

    def image_of(self, frame: int) -> str:
        """Return the name of a frame's image, "" for a film or a camera."""
        return self.files[frame] if self.files else ""

    def image_number(self, time: float) -> int:
        """Return which image is shown at a time (s), counted from 1 with those that are missing."""
        return int(time / self.spacing + 1e-6) + 1

    def frame_at(self, time: float) -> int:
        """Return the frame that is shown at a time: the last one not later, else the first."""
        return max(0, int(np.searchsorted(self.frame_times, time + 1e-6, "right")) - 1)

    def shown_until(self, frames: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return until when each of these frames is shown (s): the next one, if that is near."""
        times = np.append(self.frame_times, self.frame_times[-1:] + self.spacing)
        shown: NDArray[np.float64] = np.minimum(times[frames + 1], times[frames] + self.gap / 2)
        return shown

    def rows_of_frame(self, frame: int) -> NDArray[np.int64]:
        """Return the rows of a frame's faces."""
        first, last = np.searchsorted(self.row_frames, (frame, frame + 1))
        return np.arange(first, last)


def open_recording(folder: Path | str) -> Recording:
    """Open a session's folder. Raises `UserError`.

    Landmarks, which are most of a table, are left to `LandmarkReader`.
    """
    session = open_session(folder, columns=_wanted(Path(folder)))
    return as_recording(session)


def as_recording(session: Any) -> Recording:
    """Return an opened `Session` as columns."""
    table = session.frames.combine_chunks()
    if not table.num_rows:
        table = table.slice(0, 0)
    whole_times = _floats(table, "session_time", np.float64)
    # Sorted as the writer leaves it; other programs may not.
    order = np.arange(table.num_rows)
    if np.any(np.diff(whole_times) < 0):
        order = np.argsort(whole_times, kind="stable")
    times = whole_times[order]
    numbers = _column(table, "frame").to_numpy(zero_copy_only=False).astype(np.int64)[order]
    begins = np.ones(len(times), bool)
    begins[1:] = (np.diff(times) != 0) | (np.diff(numbers) != 0)
    tracks = np.nan_to_num(_floats(table, "face_id", np.float64), nan=0)[order].astype(np.int32)
    faces = np.flatnonzero(tracks > 0)
    picked = order[faces]
    labels = session.labels
    raw, shown, corrected = _probabilities(table, labels, picked)
    return Recording(
        path=Path(session.path),
        info=session.info,
        labels=labels,
        frame_times=times[begins],
        frame_numbers=numbers[begins],
        media_times=_floats(table, "media_time", np.float64)[order][begins],
        row_frames=(np.cumsum(begins) - 1)[faces],
        times=times[faces],
        table_rows=picked,
        table_length=table.num_rows,
        tracks=tracks[faces],
        raw=raw,
        shown=shown,
        decided=_decided(table, labels)[picked],
        confidence=_floats(table, "confidence")[picked],
        unsure=np.nan_to_num(_floats(table, "unsure"), nan=0)[picked].astype(bool),
        scores=_floats(table, "finder_score")[picked],
        quality=_floats(table, "quality")[picked],
        qualities={name: _floats(table, f"quality_{name}")[picked] for name in QUALITIES},
        boxes=np.stack([_floats(table, name)[picked] for name in _BOX], axis=1),
        markers=_markers(session.marker_lines),
        dropped=_passed_over(session.dropped),
        videos=session.videos,
        corrected=bool(corrected.any()),
        relative=corrected,
        finished=session.finished,
        files=_files(table, order[begins]),
    )


def _probabilities(
    table: Any, labels: tuple[str, ...], rows: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    """Return raw and shown ones (C, N) of these rows, and (N,) which are shown corrected."""
    raw, smooth, corrected = (
        _stack(table, [f"{kind}_{label}" for label in labels], rows)
        for kind in ("raw", "smooth", "corrected")
    )
    relative = np.isfinite(corrected).all(axis=0) & bool(labels)
    smooth[:, relative] = corrected[:, relative]
    return raw, smooth, np.asarray(relative, bool)


def _files(table: Any, rows: NDArray[np.int64]) -> tuple[str, ...]:
    """Return the names of images in these rows; none where the table has none."""
    if "file" not in table.column_names or not len(rows):
        return ()
    return tuple(name or "" for name in _column(table, "file").take(pa.array(rows)).to_pylist())


def _passed_over(dropped: Any) -> NDArray[np.float64]:
    """Return the times of frames that have no row, s, in order."""
    counted = [reason not in NOT_PASSED_OVER for reason in dropped["reason"].to_pylist()]
    return np.sort(_floats(dropped, "session_time", np.float64)[np.array(counted, bool)])


class LandmarkReader:
    """Read the landmarks of single rows; those of neighbours stay at hand.

    Not to be shared between threads.
    """

    def __init__(self, recording: Recording) -> None:
        self._rows = recording.table_rows
        self._path = recording.path
        self._file: Any = None
        self._groups: OrderedDict[int, NDArray[np.float32]] = OrderedDict()
        self._starts: NDArray[np.int64] = np.zeros(1, np.int64)
        if (recording.path / TABLE).is_file():
            self._file = pq.ParquetFile(recording.path / TABLE)
            counts = [
                self._file.metadata.row_group(group).num_rows
                for group in range(self._file.metadata.num_row_groups)
            ]
            self._starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)

    def of_row(self, row: int) -> NDArray[np.float32] | None:
        """Return (68, 2) px in the iBUG order, None where they could not be fitted."""
        place = int(self._rows[row])
        group = int(np.searchsorted(self._starts, place, "right")) - 1 if self._file else 0
        points = self._group(group)[place - int(self._starts[group])]
        return None if np.isnan(points[0]) else points.reshape(LANDMARKS, 2)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _group(self, group: int) -> NDArray[np.float32]:
        if group in self._groups:
            self._groups.move_to_end(group)
            return self._groups[group]
        if self._file is not None:
            column = self._file.read_row_group(group, columns=["landmarks"])["landmarks"]
        else:  # a recording that still goes on has no table yet
            column = open_session(self._path, columns=["landmarks"]).frames["landmarks"]
        self._groups[group] = _points(column)
        while len(self._groups) > _GROUPS_KEPT:
            self._groups.popitem(last=False)
        return self._groups[group]


def _wanted(folder: Path) -> list[str] | None:
    """Return the columns to read, all that are needed; None where the table is not there yet."""
    if not (folder / TABLE).is_file():
        return None
    try:
        names = pq.read_schema(folder / TABLE).names
    except (OSError, pa.ArrowException):
        return None  # opening it will say what is wrong
    return [
        name
        for name in names
        if name != "landmarks" and name != "wall_time" and not name.startswith("ms_")
    ]


def _column(table: Any, name: str) -> Any:
    return table[name].combine_chunks() if table.num_rows else pa.array([], table[name].type)


def _floats(table: Any, name: str, kind: Any = np.float32) -> NDArray[Any]:
    """Return a column of numbers, missing ones as NaN; all NaN where there is none of it."""
    if name not in table.column_names:
        return np.full(table.num_rows, np.nan, kind)
    column = _column(table, name)
    return np.asarray(
        column.cast(pa.float64() if kind is np.float64 else pa.float32()).to_numpy(
            zero_copy_only=False
        ),
        kind,
    )


def _stack(table: Any, names: list[str], rows: NDArray[np.int64]) -> NDArray[np.float32]:
    stacked = np.empty((len(names), len(rows)), np.float32)
    for place, name in enumerate(names):
        stacked[place] = _floats(table, name)[rows]
    return stacked


def _decided(table: Any, labels: tuple[str, ...]) -> NDArray[np.int16]:
    """Return each row's label as an index, -1 where there is none."""
    if not table.num_rows:
        return np.empty(0, np.int16)
    coded = _column(table, "label").dictionary_encode()
    known = {label: place for place, label in enumerate(labels)}
    places = np.array([known.get(word, -1) for word in coded.dictionary.to_pylist()], np.int16)
    codes = np.nan_to_num(coded.indices.to_numpy(zero_copy_only=False), nan=-1).astype(np.int64)
    return np.where(codes >= 0, np.append(places, -1)[codes], -1).astype(np.int16)


def _points(column: Any) -> NDArray[np.float32]:
    """Return a column of landmarks as (rows, 136), NaN where there are none."""
    column = column.combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    points = np.full((len(column), 2 * LANDMARKS), np.nan, np.float32)
    if valid.any():
        flat = column.filter(column.is_valid()).flatten().to_numpy(zero_copy_only=False)
        points[valid] = flat.reshape(-1, 2 * LANDMARKS)
    return points


def _markers(table: Any) -> tuple[tuple[float, str, str], ...]:
    return tuple(
        (float(row["session_time"]), str(row["key"]), str(row["text"])) for row in table.to_pylist()
    )
