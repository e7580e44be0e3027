"""The faces that fer-explain shows: found in pictures, or pictures that are faces already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.errors import SourceError
from app.faces.alignment import align
from app.faces.base import FaceFinder, gray_of
from app.live.follower import Follower
from app.live.makers import real_makers
from app.live.options import EngineOptions
from app.messages import Face
from app.sources.folder import IMAGE_SUFFIXES, natural_key, read_image
from models.crops import one_crop
from models.runtime.card import InputSpec

WHOLE_SIDE = 64
"""A square picture of at most so many pixels is taken for a face that was cut out already."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Hold one face to explain.

    picture: (H, W) uint8 gray. face: where it is, None where the picture is the face, framed as
    FER2013 frames it. name: what to call it in the figure.
    """

    name: str
    picture: NDArray[np.uint8]
    face: Face | None = None

    def crop(self, spec: InputSpec) -> NDArray[np.uint8]:
        """Return the face as a model of this input sees it, (S, S) uint8 gray."""
        if self.face is None:
            return np.ascontiguousarray(one_crop(self.picture[None], spec)[0])
        return align(self.picture, self.face, spec.size, field=spec.field).crop


def find_subjects(
    paths: Sequence[Path],
    *,
    finder: str,
    yunet_file: Path | None,
    whole: bool,
    every_face: bool,
    on_notice: Callable[[str], None],
) -> list[Subject]:
    """Return the faces of images and of the images in folders, in the order given.

    whole: each picture is a face that was cut out already, whatever its size. every_face: all
    faces of a picture from left to right, else the largest. on_notice: told of pictures that
    cannot be read or show no face. Raises `SourceError` where nothing is left.
    """
    files = list(_files(paths))
    find = _Find(finder, yunet_file)
    subjects: list[Subject] = []
    for file in files:
        image = read_image(file)
        if image is None:
            on_notice(f'"{file.name}" cannot be read as a picture and was left out.')
            continue
        gray = gray_of(image)
        if whole or gray.shape[0] == gray.shape[1] <= WHOLE_SIDE:
            subjects.append(Subject(file.stem, _square(gray)))
            continue
        faces = find(image)
        if not faces:
            on_notice(f'No face was found in "{file.name}"; it was left out.')
        faces = faces if every_face else faces[:1]
        faces = sorted(faces, key=lambda face: face.box.x1)
        subjects += [
            Subject(f"{file.stem}, face {number}" if len(faces) > 1 else file.stem, gray, face)
            for number, face in enumerate(faces, start=1)
        ]
    if not subjects:
        raise SourceError(
            f"A face was expected in {'the picture' if len(files) == 1 else 'the pictures'}, but "
            "none was found; give others, another --finder, or --whole for faces cut out already."
        )
    return subjects


class _Find:
    """Find and inspect faces as the live program does, the largest first.

    The parts are loaded with the first picture: cut-out faces need none, and they take seconds.
    """

    def __init__(self, finder: str, yunet_file: Path | None) -> None:
        self._wish = finder, yunet_file
        self._parts: tuple[FaceFinder, Follower] | None = None

    def __call__(self, image: NDArray[np.uint8]) -> list[Face]:
        if self._parts is None:
            makers = real_makers(EngineOptions())
            self._parts = makers.finder(*self._wish), Follower(makers.landmarker())
        finder, follower = self._parts
        gray = gray_of(image)
        inspected = (follower.inspect(gray, face) for face in finder.find(image))
        faces = [face for face in inspected if face is not None]
        return sorted(faces, key=lambda face: face.box.area, reverse=True)


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            found = [
                entry
                for entry in path.iterdir()
                if entry.suffix.lower() in IMAGE_SUFFIXES and not entry.name.startswith(".")
            ]
            if not found:
                raise SourceError(f'The folder "{path}" has no images; choose another.')
            yield from sorted(found, key=lambda entry: natural_key(entry.name))
        elif path.is_file():
            yield path
        else:
            raise SourceError(f'There is no image or folder "{path}"; correct the path.')


def _square(gray: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the largest central square."""
    side = min(gray.shape)
    top, left = (gray.shape[0] - side) // 2, (gray.shape[1] - side) // 2
    return gray[top : top + side, left : left + side]
