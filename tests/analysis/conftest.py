"""Short films and images of the demo actor, made once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

import app.sources
from app.cli import analyze
from app.sources.video import VideoSource

Pictures = Sequence[NDArray[np.uint8]]


@cache
def actor_frames() -> tuple[NDArray[np.uint8], ...]:
    """Return the actor's first second at half its size."""
    source = VideoSource(Path(app.sources.__file__).with_name("actor.mp4"), paced=False)
    frames: list[NDArray[np.uint8]] = []
    with source:
        while len(frames) < 24 and (frame := source.read()) is not None:
            frames.append(np.asarray(cv2.resize(frame.image, (320, 240)), np.uint8))
    return tuple(frames)


def write_film(path: Path, frames: Pictures) -> Path:
    height, width = frames[0].shape[:2]
    codec = cv2.VideoWriter.fourcc(*"mp4v")
    writer = cv2.VideoWriter(str(path), codec, 25.0, (width, height))
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame)
    writer.release()
    return path


@pytest.fixture(scope="session")
def long_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a film that takes some seconds to analyse."""
    return write_film(tmp_path_factory.mktemp("long") / "long.mp4", actor_frames() * 40)


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of two films and a folder of three images, one of which is no image."""
    folder = tmp_path_factory.mktemp("films")
    frames = actor_frames()
    write_film(folder / "one.mp4", frames[:12])
    write_film(folder / "two.mp4", frames[12:])
    photos = folder / "photos"
    photos.mkdir()
    for number in (1, 2, 10):
        cv2.imwrite(str(photos / f"face {number}.png"), frames[number])
    (photos / "face 2.png").write_bytes(b"no picture")
    return folder


def run(*words: object) -> int:
    try:
        return analyze.main([str(word) for word in words])
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.fixture(scope="module")
def results(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what one worker makes of the films."""
    out = tmp_path_factory.mktemp("out") / "results"
    assert run(films, "-o", out, "--workers", 1) == 0
    return out
