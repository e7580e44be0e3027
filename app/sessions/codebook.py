"""The page that explains every column of a session to whoever gets the data."""

from __future__ import annotations

from collections.abc import Sequence

from app.sessions.schema import columns

__all__ = ["codebook"]

_HEAD = """\
# Codebook

This folder holds one recording made with Mien. The labels name apparent expressions: what a face
shows on the picture, as a network trained on labelled photos would name it. They say nothing about
what a person feels.

One row is one face on one frame; a frame on which no face was found has one row whose `face_id` and
all that follows from a face are empty. `face_id` follows a face from frame to frame and says
nothing about who it is. A frame that is in neither `frames.parquet` nor `dropped.csv` was never
handed out by the camera.

## frames.parquet

| column | kind | unit | meaning |
|---|---|---|---|
"""

_TAIL = """
## markers.csv

| column | unit | meaning |
|---|---|---|
| session_time | s | When the marker was set, on the clock of `frames.parquet`. |
| wall_time | UTC | The same moment by the clock of the computer, ISO 8601. |
| key | | The key that was pressed, 1 to 9; `note` for a typed note, at the moment it was begun; \
`neutral` when the measuring of a neutral face ended, from which on its `corrected_` columns are \
filled; `lsl` for a marker that another program sent by the Lab Streaming Layer. |
| text | | What was typed or sent; `face 1` and so on for `neutral`; empty for a bare key. |

## dropped.csv

| column | unit | meaning |
|---|---|---|
| session_time | s | When the frame was taken. |
| frame | | Its number; empty for a time in which the camera gave none. |
| reason | | Why it has no row, or no picture in the video. |

Reasons: `overtaken`, a newer frame came before this one could be processed; `failed`, it could not
be processed; `paused`, the picture stood still; `queue full`, the disk was too slow for the table;
`not written`, the disk failed before the row was on it; `video queue full`, the row is there and
the picture is missing from the video; `camera lost`, the camera gave nothing until `camera back`.

## Other forms of the table

What `fer-analyze --format` and *Export* in Review write has the same rows. Columns that are not
above, or mean something else there:

| column | in | unit | meaning |
|---|---|---|---|
| file | all, of images | | Name of the image. |
| face_name | all, from Review | | The name given to the face there. |
| x_0 to x_67, y_0 to y_67 | CSV, OpenFace | px | The landmarks, one column a coordinate. |
| label | CSV long | | The label that this row is about; one row a face and label. |
| raw, smooth, corrected | CSV long | 0-1 | The probability of that label, of each kind. |
| decided | CSV long | | Whether that label is the one decided for the track. |
| frame | OpenFace | | Counts from 1 there. |
| timestamp | OpenFace | s | `media_time`, where there is none `session_time`. |
| confidence | OpenFace | 0-1 | `quality`; 0 without a face. |
| success | OpenFace | | 1 with a face, 0 without; `face_id` is 0 then. |
@OF_LABELS
JSON lines hold an object a frame: `faces` is a list, in which `id` is the `face_id`, `name` the
`face_name`, `box` left, top, width and height, `raw`, `smooth` and `corrected` hold a number a
label, `quality` its measures with `overall` the worst, and `landmarks` 68 pairs; `ms` holds the
stage times.

## Markers

`key` in markers.csv is 1 to 9 for a key that was pressed, `note` for a note, `lsl` for what another
program sent, `neutral` when a neutral face was measured. In a study `show` says that the stimulus
in `text` was painted, `over` that what follows it was, and `answer` which step was chosen.

## Video

Every picture of `video*.mkv` bears the session time of its frame, to a tenth of a millisecond. The
picture at time t belongs to the rows whose `session_time` is t.
"""


def codebook(labels: Sequence[str]) -> str:
    """Return the codebook of a session with these labels, in Markdown."""
    lines = [
        f"| {column.name} | {column.kind} | {column.unit} | {column.meaning} |"
        for column in columns(labels)
    ]
    of_labels = "".join(
        f"| p_{label} | OpenFace | 0-1 | `corrected_{label}`, without one `smooth_{label}`. |\n"
        for label in labels
    )
    return _HEAD + "\n".join(lines) + "\n" + _TAIL.replace("@OF_LABELS\n", of_labels + "\n")
