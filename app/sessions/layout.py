"""What lies in a session's folder, by the names of its files; nothing of them is read."""

from __future__ import annotations

from pathlib import Path

from models.runtime.files import is_file, is_folder

INFO = "session.json"
TABLE = "frames.parquet"
STREAM = "frames.arrows"
REST = "frames.arrows.rest"
MARKERS = "markers.csv"
DROPPED = "dropped.csv"
CODEBOOK = "codebook.md"
LOCK = "recording.lock"


def is_session(path: Path) -> bool:
    """Say whether a folder holds a session."""
    return is_file(path / INFO)


def session_folder(path: str) -> Path | None:
    """Return the session's folder that a path means: the folder, or a file in it; else None."""
    place = Path(path)
    own = place.name == INFO or place.match("frames.*") or place.match("video*.mkv")
    if is_file(place) and not own:
        return None
    folder = place if is_folder(place) else place.parent
    return folder if is_session(folder) else None
