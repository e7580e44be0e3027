"""The columns of a recorded table: their names, kinds and meaning, said once for all readers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

__all__ = [
    "FACE_NAME",
    "LANDMARKS",
    "PROBABILITIES",
    "QUALITIES",
    "TIMINGS",
    "Column",
    "columns",
    "frames_schema",
    "labels_of",
]

LANDMARKS = 68
PROBABILITIES = {
    "raw": "the classifier's own word on this frame alone",
    "smooth": "the average over the track, as shown where there is no neutral face",
    "corrected": "smooth, relative to the track's own neutral face; empty without one",
}
"""The kinds of probabilities by the beginning of their columns."""

QUALITIES = {
    "size": "the face is large enough for the network's crop",
    "sharpness": "edges are crisp, neither out of focus nor smeared by motion",
    "light": "neither too dark nor too bright, flat or one-sided",
    "turn": "the face looks into the camera",
    "cut_off": "the face lies whole in the picture",
    "occluded": "nothing covers the face, as far as a small network can tell",
}
"""What is measured of a face, in the order of the table, and what 1 means."""

FACE_NAME = "face_name"
"""The column of names given in review, where any face has one."""

TIMINGS = ("capture", "find", "landmarks", "align", "classify", "overlay", "total")

_LABELS_KEY = b"mien.labels"


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column. kind: an Arrow type. unit: empty where there is none."""

    name: str
    kind: Any
    unit: str
    meaning: str


def columns(labels: Sequence[str]) -> list[Column]:
    """Return the columns of a table whose model has these labels, in their order."""
    return [*_frame_columns(), *_face_columns(), *_label_columns(labels), *_other_columns()]


def frames_schema(labels: Sequence[str]) -> Any:
    """Return the Arrow schema of `frames.parquet`; it carries the labels."""
    fields = [pa.field(column.name, column.kind) for column in columns(labels)]
    return pa.schema(fields, metadata={_LABELS_KEY: json.dumps(list(labels))})


def labels_of(schema: Any) -> tuple[str, ...]:
    """Return the labels a table was written with, empty for a table that is none of ours."""
    found = (schema.metadata or {}).get(_LABELS_KEY)
    return tuple(json.loads(found)) if found else ()


def _frame_columns() -> list[Column]:
    return [
        Column("frame", pa.int64(), "", "Number of the frame in its source, from 0; missing "
               "numbers are in dropped.csv."),
        Column("face_id", pa.int32(), "", "Number of the track, 1 and up; empty in the one row of "
               "a frame without a face."),
        Column("session_time", pa.float64(), "s", "When the frame was taken, on the capture's "
               "monotonic clock; 0 is the start of the session."),
        Column("wall_time", pa.timestamp("us", tz="UTC"), "UTC", "The same moment by the clock of "
               "the computer as it stood at the start; later changes of that clock do not count."),
        Column("media_time", pa.float64(), "s", "Time within a file or clip; empty for a camera."),
    ]  # fmt: skip


def _face_columns() -> list[Column]:
    box = "of the face's box in pixels of the frame; the box may leave the picture."
    small = pa.float32()
    return [
        Column("box_x", small, "px", f"Left edge {box}"),
        Column("box_y", small, "px", f"Upper edge {box}"),
        Column("box_width", small, "px", f"Width {box}"),
        Column("box_height", small, "px", f"Height {box}"),
        Column("finder_score", small, "", "The face finder's own score on its own scale, of the "
               "last frame on which it looked."),
        Column("landmarks", pa.list_(small, 2 * LANDMARKS), "px", "68 points in the iBUG order as "
               "x0, y0, x1, y1 and so on; empty where they could not be fitted."),
    ]  # fmt: skip


def _label_columns(labels: Sequence[str]) -> list[Column]:
    return [
        Column(f"{kind}_{label}", pa.float32(), "0-1", f"Probability of {label}: {meaning}.")
        for kind, meaning in PROBABILITIES.items()
        for label in labels
    ]


def _other_columns() -> list[Column]:
    small = pa.float32()
    return [
        Column("label", pa.string(), "", "The label decided for the track, which changes only "
               "when it is clearly beaten; it is kept where `unsure` is true."),
        Column("confidence", small, "0-1", "Probability of that label, corrected where there is a "
               "neutral face, else smooth."),
        Column("unsure", pa.bool_(), "", "Whether the confidence is below the model card's "
               "threshold, so that no label should be read from this row."),
        *(
            Column(f"quality_{name}", small, "0-1", f"1: {meaning}; empty: not measured.")
            for name, meaning in QUALITIES.items()
        ),
        Column("quality", small, "0-1", "The worst of these."),
        *(
            Column(f"ms_{name}", small, "ms", _timing_meaning(name)) for name in TIMINGS
        ),
    ]  # fmt: skip


def _timing_meaning(name: str) -> str:
    if name == "total":
        return "Time all stages of the frame took together."
    return f"Time the stage {name} took for the whole frame; 0 where it did not run."
