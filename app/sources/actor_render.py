"""Write the demo actor's clip: `python -m app.sources.actor_render [FILE]`.

Run it after any change to how the actor is drawn or moves.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from app.errors import SourceError
from app.sources.actor import CLIP
from app.sources.actor_scene import SIZE, render_frame
from app.sources.actor_timeline import FPS, FRAME_COUNT

__all__ = ["write_clip"]


def write_clip(path: Path) -> None:
    """Draw every frame of the loop and write it to `path` as an MP4 (MPEG-4 part 2).

    Every OpenCV wheel can write and play that codec. Raises `SourceError` if this one cannot.
    """
    # The container follows from the suffix, so the temporary name keeps it.
    part = path.with_name(f".{path.stem}.part{path.suffix}")
    writer = cv2.VideoWriter(str(part), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), FPS, SIZE)
    if not writer.isOpened():
        raise SourceError(
            f'"{path}" cannot be written: it needs a folder that may be written to and an OpenCV '
            f"with FFmpeg; check the path, or install opencv-python-headless from its wheel."
        )
    try:
        for index in range(FRAME_COUNT):
            writer.write(render_frame(index))
        writer.release()
        part.replace(path)
    finally:
        writer.release()
        part.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        write_clip(Path(sys.argv[1]) if len(sys.argv) > 1 else CLIP)
    except SourceError as error:
        sys.exit(str(error))
