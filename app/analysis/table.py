"""A session folder made of files: as a recording's, but for the clocks that a file has not."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from app.analysis.frames import Frames
from app.analysis.inputs import IMAGES, Input
from app.live.session_info import session_info
from app.live.status import EngineState, EngineStatus
from app.messages import FrameResult
from app.sessions import folder as places
from app.sessions import ledger
from app.sessions.arrow import column
from app.sessions.codebook import codebook
from app.sessions.export import export_table
from app.sessions.rows import RowBuilder, frame_row
from app.sessions.schema import frames_schema
from app.sessions.stream import write_parquet
from app.sources.folder import SECONDS_PER_IMAGE
from models.runtime.classifier import OnnxClassifier
from models.runtime.files import written_whole

__all__ = ["FINGERPRINT", "FolderWriter", "table_batches", "table_schema"]

FINGERPRINT = "fingerprint"
_BATCH_ROWS = 4_096
_FILE = pa.field("file", pa.string())

_CODEBOOK_TAIL = """
## Analysed from files

This session was not recorded but analysed from {what}. `session_time` is `media_time`, and
`wall_time` and the columns `ms_` are empty: they would differ each time the same file is analysed,
and these tables do not. {more}
"""
_MORE_IMAGES = (
    "Each image counts as one second; no face is followed from one to the next, so every `face_id` "
    "is new. The column `file` holds the image's name. Images that could not be read are in "
    "dropped.csv with the reason `unreadable`."
)
_MORE_EVERY = "Only one frame in {every} was analysed; the others are not in dropped.csv."


class FolderWriter:
    """Write a session folder for one input. frames, faces: counted while it is written."""

    def __init__(
        self,
        folder: Path,
        source: Input,
        classifier: OnnxClassifier,
        fingerprint: str,
        how: dict[str, Any],
    ) -> None:
        """Prepare. folder: is there and empty. how: see `app.analysis.parts.how`."""
        self.frames = self.faces = 0
        self._folder = folder
        self._source = source
        self._classifier = classifier
        self._card = classifier.card
        self._shape: tuple[int, ...] = (0, 0)
        self._fingerprint = fingerprint
        self._how = how

    def write(self, results: Iterator[FrameResult], frames: Frames) -> None:
        """Write everything that belongs to a session; raises `OSError`."""
        begun = time.time()
        named = self._source.kind == IMAGES
        batches = table_batches(self._counted(results), self._card.labels, named=named)
        schema = table_schema(self._card.labels, named=named)
        rows = write_parquet(batches, self._folder / places.TABLE, schema)
        drops = ledger.Ledger(self._folder / places.DROPPED, ledger.DROPPED.names)
        drops.append(
            (f"{index * SECONDS_PER_IMAGE:.6f}", index, "unreadable")
            for index, _ in frames.unreadable
        )
        drops.close()
        ledger.Ledger(self._folder / places.MARKERS, ledger.MARKERS.names).close()
        with written_whole(self._folder / places.CODEBOOK) as partial:
            partial.write_text(codebook(self._card.labels) + self._codebook_tail(), "utf-8")
        places.write_info(self._folder, self._info(begun, rows, frames))

    def export(self, form: str) -> None:
        """Write the table in another of `FORMS`, too. Raises `SessionError`."""
        if form != "parquet":
            frames = places.open_session(self._folder).frames
            export_table(frames, self._card.labels, form, self._folder / f"frames.{form}")

    def _counted(self, results: Iterator[FrameResult]) -> Iterator[FrameResult]:
        for result in results:
            if not self.frames:
                self._shape = result.frame.image.shape
            self.frames += 1
            self.faces += len(result.faces)
            yield result

    def _codebook_tail(self) -> str:
        every = self._how["every"]
        more = [_MORE_IMAGES] if self._source.kind == IMAGES else []
        more += [_MORE_EVERY.format(every=every)] if every > 1 else []
        what = "a video" if self._source.kind != IMAGES else "images"
        return _CODEBOOK_TAIL.format(what=what, more=" ".join(more)).rstrip() + "\n"

    def _info(self, begun: float, rows: int, frames: Frames) -> dict[str, Any]:
        source = {
            "name": self._source.place.name,
            "spec": str(self._source.place.absolute()),
            "kind": self._source.kind,
            "files": len(self._source.paths),
            "live": False,
            "notice": frames.notice,
        }
        status = EngineStatus(
            EngineState.ENDED,
            provider=self._classifier.provider,
            model=self._card.name,
            finder=self._how["finder"],
            landmarks=self._how["landmarks"],
            base_rates=self._classifier.base_rates,
        )
        counts = {
            "frames": self.frames,
            "faces": self.faces,
            "rows": rows,
            "dropped": {"unreadable": len(frames.unreadable)} if frames.unreadable else {},
            "dropped_unlisted": 0,
        }
        return {
            "format": places.FORMAT,
            "state": "finished",
            # A file has no moment of its own: these say when it was analysed.
            "started": {"wall": ledger.iso_time(begun), "monotonic": 0.0},
            "ended": {"wall": ledger.iso_time(time.time()), "monotonic": None},
            "labels": list(self._card.labels),
            **session_info(status=status, card=self._card, source=source, frame=self._shape),
            "counts": counts,
            "analysis": {FINGERPRINT: self._fingerprint, **self._how},
        }


def table_schema(labels: Sequence[str], *, named: bool = False) -> Any:
    """Return the schema of an analysed table. named: with the file names of images."""
    schema = frames_schema(labels)
    return schema.append(_FILE) if named else schema


def table_batches(
    results: Iterable[FrameResult], labels: Sequence[str], *, named: bool = False
) -> Iterator[Any]:
    """Turn results, `captured_at` being their media time, into record batches of `table_schema`.

    What the clock of the computer said is left out, so that the same results give the same rows.
    """
    builder = RowBuilder(labels, monotonic=0.0, wall=0.0)
    names: list[str | None] = []

    def batch() -> Any:
        timeless = _without_clocks(builder.take())
        if not named:
            return timeless
        taken = column(names, pa.string())
        names.clear()
        return timeless.append_column(_FILE, taken)

    for result in results:
        names += [result.frame.caption or None] * builder.add(frame_row(result))
        if len(builder) >= _BATCH_ROWS:
            yield batch()
    if len(builder):
        yield batch()


def _without_clocks(batch: Any) -> Any:
    columns = [
        pa.nulls(batch.num_rows, field.type)
        if field.name == "wall_time" or field.name.startswith("ms_")
        else batch.column(place)
        for place, field in enumerate(batch.schema)
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
