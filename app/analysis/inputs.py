"""What there is to analyse: files, folders and patterns become a list of inputs."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2

from app.errors import SourceError
from app.sessions.layout import INFO, is_session
from app.sessions.video import VIDEOS
from app.sources.folder import IMAGE_SUFFIXES, natural_key
from app.sources.video import VIDEO_SUFFIXES, check_name
from models.runtime.files import user_path

VIDEO, IMAGES = "video", "images"
_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Input:
    """Hold what becomes one table: a video, or images of one folder.

    kind: `VIDEO` or `IMAGES`. place: the video, or the folder of the images. paths: the video
    alone, or the images in the order a person would count them. frames: how many there are, a
    video's by its header, which may be wrong; 0 where nothing can be opened, None when it does not
    say.
    """

    kind: str
    place: Path
    paths: tuple[Path, ...]
    frames: int | None = None

    @property
    def shown(self) -> Path:
        """Return the file or folder that a person would name: an image itself if it is alone."""
        return self.paths[0] if len(self.paths) == 1 else self.place

    @property
    def name(self) -> str:
        """Return what its session folder is called, as long as no other is called so."""
        if self.kind == IMAGES:
            name = self.place.resolve().name
        elif self.place.name == VIDEOS["raw"] and is_session(self.place.parent):
            name = self.place.parent.resolve().name  # the videos of all sessions are called alike
        else:
            name = self.place.stem
        return re.sub(r'[\x00-\x1f<>:"/\\|?*]+', "_", name)[:_LONGEST_NAME].strip(" .") or "input"


def find_inputs(words: Iterable[str], *, leave_out: Path | None = None) -> list[Input]:
    """Return what files, folders and patterns name, each once and in the order given.

    A folder is searched with all below it: each video in it is an input, all images that lie in
    one folder are another; a session's video with the findings drawn on it stays out, as they
    hide the faces, unless it is named itself. Images named one by one count as images of their
    folder. A file named by itself is taken for a video unless its name says that it is an image.
    leave_out: a folder not to search, such as the one results go to. Raises `UserError` for what is
    not there, and when all of it together holds nothing to analyse.
    """
    words = list(words)
    files: list[Path] = []
    for word in words:
        files += _files_of(word, leave_out)
    inputs = _group(_once(files))
    if not inputs:
        named = ", ".join(f'"{word}"' for word in words) or "nothing"
        raise SourceError(
            f"Expected images or videos, found none in {named}; name files of the kinds "
            f"{_kinds()}, or folders that hold some."
        )
    return inputs


def session_names(inputs: Sequence[Input], taken: Iterable[str]) -> list[str]:
    """Return a name for the session folder of each input; none is like another or in `taken`.

    Upper and lower case do not tell two apart: on some disks they are the same.
    """
    used = {name.casefold() for name in taken}
    names = []
    for each in inputs:
        name, number = each.name, 1
        while name.casefold() in used:
            number += 1
            name = f"{each.name}-{number}"
        used.add(name.casefold())
        names.append(name)
    return names


def _files_of(word: str, leave_out: Path | None) -> Iterator[Path]:
    try:
        path = user_path(word).absolute()  # a worker may have begun in another folder
        is_folder, is_file = path.is_dir(), path.is_file()
    except (OSError, ValueError) as error:  # too long, forbidden
        raise SourceError(f'"{word}" is no usable path; check it and try again.') from error
    if is_folder:
        yield from _files_below(path, leave_out)
    elif is_file:
        yield path
    elif glob.has_magic(word):
        yield from _files_matching(word, leave_out)
    else:
        raise SourceError(
            f'Expected an image, a video or a folder, found no "{word}"; check the path.'
        )


def _files_matching(pattern: str, leave_out: Path | None) -> Iterator[Path]:
    # Not Path.glob: it takes no absolute pattern.
    whole = str(user_path(pattern).absolute())
    found = sorted(glob.glob(whole, recursive=True), key=natural_key)  # noqa: PTH207
    if not found:
        raise SourceError(f'Expected files that match "{pattern}", found none; check the pattern.')
    kept_out = leave_out.resolve() if leave_out is not None else None
    for name in found:
        path = Path(name)
        if _is_result(path, kept_out):
            continue
        if path.is_dir():
            if "**" not in pattern:  # else what lies in it matched by itself
                yield from _files_below(path, leave_out)
        elif _of_known_kind(path):
            yield path


def _files_below(folder: Path, leave_out: Path | None) -> Iterator[Path]:
    """Yield the images and videos in a folder and all below it; hidden ones stay out."""

    def refuse(error: OSError) -> None:
        raise SourceError(
            f'The folder "{error.filename}" cannot be read ({error.strerror}); allow this account '
            f"to read it or choose another."
        ) from error

    kept_out = leave_out.resolve() if leave_out is not None else None
    for place, folders, files in os.walk(folder, onerror=refuse):
        here = Path(place)
        folders[:] = sorted(
            (
                name
                for name in folders
                if not name.startswith(".") and (here / name).resolve() != kept_out
            ),
            key=natural_key,
        )
        drawn_on = VIDEOS["annotated"] if INFO in files else None
        for name in sorted(files, key=natural_key):
            if not name.startswith(".") and name != drawn_on and _of_known_kind(Path(name)):
                yield here / name


def _is_result(path: Path, kept_out: Path | None) -> bool:
    """Say whether a pattern met what an analysis wrote, rather than what is to be analysed."""
    if path.name == VIDEOS["annotated"] and is_session(path.parent):
        return True
    return kept_out is not None and path.resolve().is_relative_to(kept_out)


def _of_known_kind(path: Path) -> bool:
    return path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES


def _once(files: Iterable[Path]) -> list[Path]:
    seen: dict[Path, Path] = {}
    for file in files:
        seen.setdefault(file.resolve(), file)
    return list(seen.values())


def _group(files: Sequence[Path]) -> list[Input]:
    """Return the inputs in the order in which the first file of each comes."""
    images: dict[Path, list[Path]] = {}
    places: list[Path] = []
    for file in files:
        if file.suffix.lower() in IMAGE_SUFFIXES:
            folder = file.parent
            if folder not in images:
                images[folder] = []
                places.append(folder)
            images[folder].append(file)
        else:
            places.append(file)
    return [_images(place, images[place]) if place in images else _video(place) for place in places]


def _images(folder: Path, files: list[Path]) -> Input:
    ordered = sorted(files, key=lambda file: (natural_key(file.name), file.name))
    return Input(IMAGES, folder, tuple(ordered), len(ordered))


def _video(file: Path) -> Input:
    try:
        name = check_name(file)
    except SourceError:  # as one that cannot be opened
        return Input(VIDEO, file, (file,), 0)
    capture = cv2.VideoCapture(name, cv2.CAP_FFMPEG)
    opened, count = capture.isOpened(), capture.get(cv2.CAP_PROP_FRAME_COUNT)
    capture.release()
    if not opened:  # the run will say why; for the time left it counts as nothing
        return Input(VIDEO, file, (file,), 0)
    return Input(VIDEO, file, (file,), round(count) if 0 < count < 1e9 else None)


def _kinds() -> str:
    *most, last = sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES | VIDEO_SUFFIXES)
    return f"{', '.join(most)} or {last}"
