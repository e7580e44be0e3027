"""A study to begin with: a protocol that runs as it is and explains its own lines."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import SettingsError
from models.runtime.files import written_whole

__all__ = ["write_template"]

_SIZE = 480
_GROUND = (235, 235, 235)
_PROTOCOL = """\
# A study for Mien: what somebody is shown while their face is recorded. It runs as it is.
# Change it in any text editor, save it, and choose it again in Mien. A line that begins with #
# is a remark, of which Mien takes no notice.

title = "{title}"
order = "shuffled"          # another order for every participant; "fixed": as written here
pause = 1.0                 # seconds of a cross before each picture and film
variables = ["age"]         # asked for beside the participant's code; [] for nothing

# Asked after each picture and film and answered with a digit. Leave these five lines out for none.
[question]
text = "How pleasant was this?"
steps = 7                   # 2 to 9
low = "very unpleasant"
high = "very pleasant"

# Then what is shown, each thing under its own [[show]]. A text stays until Space is pressed.
[[show]]
text = "Look at each picture, as you would in a magazine. Press Space to begin."

# The two pictures lie in the folder beside this file; put your own there and name them here.
[[show]]
picture = "{folder}/disc.png"
seconds = 4
condition = "round"         # what the table of results groups by; any word

[[show]]
picture = "{folder}/star.png"
seconds = 4
condition = "pointed"

# A film plays to its end, with its sound; "sound = false" below it mutes it:
# [[show]]
# film = "{folder}/my film.mp4"
# condition = "moving"

[[show]]
text = "Thank you. Press Space to end."
"""


def write_template(path: Path) -> None:
    """Write a protocol to `path`, and its pictures into a folder of that name beside it.

    Pictures that are there already stay as they are. Raises `SettingsError`.
    """
    folder = path.with_suffix("")
    pictures = {"disc.png": _disc(), "star.png": _star()}
    names = {"title": path.stem, "folder": folder.name}
    told = {key: name.replace("\\", "\\\\").replace('"', '\\"') for key, name in names.items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pictures.items():
            if not (folder / name).exists():
                with written_whole(folder / name) as partial:
                    partial.write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        with written_whole(path) as partial:
            partial.write_text(_PROTOCOL.format(**told), encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f'expected to write a study to "{path}", but could not ({error.strerror}); choose '
            f"another place."
        ) from error


def _disc() -> npt.NDArray[np.uint8]:
    picture = np.full((_SIZE, _SIZE, 3), _GROUND, np.uint8)
    cv2.circle(picture, (_SIZE // 2, _SIZE // 2), 150, (60, 140, 235), -1, cv2.LINE_AA)
    return picture


def _star() -> npt.NDArray[np.uint8]:
    picture = np.full((_SIZE, _SIZE, 3), _GROUND, np.uint8)
    angles = np.pi * (np.arange(16) / 8 - 0.5)
    radii = np.where(np.arange(16) % 2, 75, 180)
    points = _SIZE / 2 + radii[:, None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    cv2.fillPoly(picture, [points.astype(np.int32)], (150, 70, 40), cv2.LINE_AA)
    return picture
