"""Spoil pictures of faces as light, cameras, loose framing and hands do, each in three steps.

After Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", arXiv 1903.12261, section 4; kinds and steps are chosen for small gray faces. Steps
in pixels are those of FER2013; of other pictures they are as large a share.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.runtime.card import FER2013_SIDE

Picture = NDArray[Any]
"""One face (S, S), float 0 to 255; what leaves that range is cut off afterwards."""
Change = Callable[[Picture, float, Generator], Picture]

_EYES = 18.9 / FER2013_SIDE
_SUNGLASSES = 20.0


@dataclass(frozen=True, slots=True)
class Spoiling:
    """Name a way to spoil a face.

    kind: one of `KINDS`. steps: from slight to strong; words: what a step
    is, with "{}" in its place.
    """

    kind: str
    name: str
    words: str
    steps: tuple[float, float, float]
    change: Change

    def said(self, step: float) -> str:
        """Return a step in words, such as "to 50 %"."""
        return self.words.format(step)

    def apply(self, pixels: NDArray[np.uint8], step: float, seed: int = 0) -> NDArray[np.uint8]:
        """Return pictures (N, S, S) spoilt by a step; the same seed spoils them in the same way."""
        chance = np.random.default_rng((seed, zlib.crc32(self.name.encode())))
        light = pixels.astype(np.float32)
        changed = [np.clip(self.change(face, step, chance), 0, 255) for face in light]
        return np.stack(changed).round().astype(np.uint8)


def darkened(face: Picture, to: float, chance: Generator) -> Picture:
    """Take light away; what a sensor adds of its own stays."""
    return np.asarray(face * to + chance.normal(0, 3, face.shape))


def one_sided(face: Picture, share: float, chance: Generator) -> Picture:
    """Lay a soft shadow on one half."""
    side = face.shape[1]
    across = (np.arange(side) - side / 2) * FER2013_SIDE / side / 3
    return np.asarray(face * (1 - share / (1 + np.exp(-across * chance.choice((-1, 1))))))


def noisy(face: Picture, sigma: float, chance: Generator) -> Picture:
    return np.asarray(face + chance.normal(0, sigma, face.shape))


def blurred(face: Picture, sigma: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(face, (0, 0), sigma * len(face) / FER2013_SIDE))


def shrunk(face: Picture, side: float) -> Picture:
    """Leave so many pixels a side, of a face that is far away."""
    few = round(side * len(face) / FER2013_SIDE)
    small = cv2.resize(face, (few, few), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, face.shape[::-1], interpolation=cv2.INTER_LINEAR))


def compressed(face: Picture, quality: float) -> Picture:
    whole = face.round().astype(np.uint8)
    _, data = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.float32)


def framed(face: Picture, *, turn: float = 0, scale: float = 1, move: Any = (0, 0)) -> Picture:
    """Frame anew: turned by degrees and scaled about the middle, then moved by pixels of 48."""
    middle = (len(face) - 1) / 2
    matrix: Picture = cv2.getRotationMatrix2D((middle, middle), turn, scale)
    matrix[:, 2] += np.asarray(move) * len(face) / FER2013_SIDE
    mode = cv2.BORDER_REPLICATE
    return np.asarray(cv2.warpAffine(face, matrix, face.shape[::-1], borderMode=mode))


def turned(face: Picture, degrees: float, chance: Generator) -> Picture:
    return framed(face, turn=degrees * chance.choice((-1, 1)))


def moved(face: Picture, pixels: float, chance: Generator) -> Picture:
    angle = chance.uniform(0, 2 * np.pi)
    return framed(face, move=(pixels * np.cos(angle), pixels * np.sin(angle)))


def masked(face: Picture, share: float) -> Picture:
    """Cover the face from below."""
    covered = face.copy()
    covered[round(len(face) * (1 - share)) :] = face.mean()
    return covered


def blindfolded(face: Picture, height: float) -> Picture:
    """Cover the eyes by a dark band of so many pixels of 48."""
    covered, half = face.copy(), height / 2 / FER2013_SIDE
    top, bottom = (round(len(face) * (_EYES + way)) for way in (-half, half))
    covered[top:bottom] = _SUNGLASSES
    return covered


def half_covered(face: Picture, share: float, chance: Generator) -> Picture:
    """Cover the face from one side."""
    covered, width = face.copy(), round(face.shape[1] * share)
    covered[:, slice(width) if chance.random() < 0.5 else slice(-width, None)] = face.mean()
    return covered


def overexposed(face: Picture, by: float) -> Picture:
    return face * by


def scaled(face: Picture, by: float) -> Picture:
    return framed(face, scale=by)


def _plain(change: Callable[[Picture, float], Picture]) -> Change:
    """Return a change into which no chance enters."""
    return lambda face, step, _: change(face, step)


KINDS = ("light", "picture", "framing", "cover")
SPOILINGS = (
    Spoiling("light", "darker", "to {:.0%}", (0.5, 0.25, 0.12), darkened),
    Spoiling("light", "overexposed", "by {:g}", (1.5, 2, 3), _plain(overexposed)),
    Spoiling("light", "one side darker", "by {:.0%}", (0.5, 0.7, 0.85), one_sided),
    Spoiling("picture", "noise", "sigma {:g}", (10, 20, 40), noisy),
    Spoiling("picture", "blurred", "sigma {:g} px", (0.8, 1.4, 2.2), _plain(blurred)),
    Spoiling("picture", "few pixels", "{:g} a side", (24, 16, 12), _plain(shrunk)),
    Spoiling("picture", "JPEG", "quality {:g}", (30, 15, 7), _plain(compressed)),
    Spoiling("framing", "turned", "{:g} degrees", (10, 20, 30), turned),
    Spoiling("framing", "moved", "{:g} px", (3, 5, 8), moved),
    Spoiling("framing", "too near", "by {:g}", (1.15, 1.3, 1.5), _plain(scaled)),
    Spoiling("framing", "too far", "to {:g}", (0.87, 0.75, 0.6), _plain(scaled)),
    Spoiling("cover", "from below", "{:.0%}", (0.25, 0.35, 0.45), _plain(masked)),
    Spoiling("cover", "eyes", "{:g} px", (6, 10, 14), _plain(blindfolded)),
    Spoiling("cover", "one side", "{:.0%}", (0.2, 0.35, 0.5), half_covered),
)
