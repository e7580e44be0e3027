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
| key | | The key that was pressed, 1 to 9; `note` for a typed note. |
| text | | What was typed; empty for a bare key. |

## dropped.csv

| column | unit | meaning |
|---|---|---|
| session_time | s | When the frame was taken. |
| frame | | Its number; empty for a time in which the camera gave none. |
| reason | | Why it has no row, or no picture in the video. |

Reasons: `overtaken`, a newer frame came before this one could be processed; `failed`, it could not
be processed; `paused`, the picture stood still; `queue full`, the disk was too slow for the table;
`video queue full`, the row is there and the picture is missing from the video; `camera lost`, the
camera gave nothing until `camera back`.

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
    return _HEAD + "\n".join(lines) + "\n" + _TAIL
