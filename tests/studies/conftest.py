"""A study drawn by code: two pictures, a film and a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

PROTOCOL = """
title = "Smiles"
pause = 0.5
variables = ["age"]

[question]
text = "How pleasant was this?"
steps = 5
low = "not at all"
high = "very"

[[show]]
text = "Just look."

[[show]]
picture = "puppy.png"
seconds = 2
condition = "pleasant"

[[show]]
film = "clip.mp4"

[[show]]
picture = "wasp.png"
seconds = 1.5
condition = "unpleasant"
"""
FILM_FRAMES = 10
FILM_FPS = 25.0

Write = Callable[[str], Path]


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the files once; return their folder."""
    folder = tmp_path_factory.mktemp("drawn")
    for grey, name in enumerate(("puppy", "wasp"), 1):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((48, 64, 3), 80 * grey, np.uint8))
    code = cv2.VideoWriter.fourcc(*"mp4v")
    film = cv2.VideoWriter(str(folder / "clip.mp4"), code, FILM_FPS, (64, 48))
    for index in range(FILM_FRAMES):
        film.write(np.full((48, 64, 3), 20 * index, np.uint8))
    film.release()
    return folder


@pytest.fixture
def write_protocol(drawn: Path, tmp_path: Path) -> Write:
    """Return a function that writes a protocol beside the files it names."""
    for file in drawn.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())

    def write(text: str = PROTOCOL) -> Path:
        path = tmp_path / "smiles.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def smiles(write_protocol: Write) -> Path:
    """Return the protocol above, beside its files."""
    return write_protocol(PROTOCOL)
