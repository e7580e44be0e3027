"""Drawn faces whose boxes and landmarks are known, stored as the real ones are."""

from __future__ import annotations

import itertools
import zlib
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

if find_spec("torch") is None:  # the app's own tests run without the training extra
    collect_ignore = [
        "test_finder_command.py",
        "test_finder_export.py",
        "test_finder_network.py",
        "test_finder_training.py",
        "test_landmarks68_data.py",
        "test_landmarks68_file.py",
        "test_landmarks68_training.py",
        "test_part_data.py",
    ]

PEOPLE, SCENES = 40, 30
LANDMARK_RECIPE = """task = "landmarks68"
epochs = 2
batch_size = 12
five = 3
empty = 3
learning_rate = 2e-3
ema = 0.5
"""


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    cv2.setNumThreads(1)


def draw_face(
    rng: np.random.Generator, side: int = 96, size: float = 48.0
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a (side, side, 3) picture of a face and its row: box, five landmarks, score."""
    noise = rng.integers(0, 256, (side // 12, side // 12, 3), np.uint8)
    picture = cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    x, y = rng.uniform(0.45 * side, 0.55 * side, 2)
    width, height = 0.8 * size, 1.2 * size
    centre, axes = (int(x), int(y)), (int(width / 2), int(height / 2))
    cv2.ellipse(picture, centre, axes, 0, 0, 360, (130, 160, 220), -1)
    offsets = ((-0.22, -0.12), (0.22, -0.12), (0.0, 0.08), (-0.17, 0.3), (0.17, 0.3))
    points = np.array([[x + dx * width, y + dy * height] for dx, dy in offsets], np.float32)
    for point in points[:2]:
        cv2.circle(picture, (int(point[0]), int(point[1])), 4, (40, 30, 20), -1)
    cv2.circle(picture, (int(points[2, 0]), int(points[2, 1])), 3, (90, 110, 180), -1)
    mouth = [(int(px), int(py)) for px, py in points[3:]]
    cv2.line(picture, mouth[0], mouth[1], (60, 60, 160), 4)
    row = np.concatenate([[x - width / 2, y - height / 2, width, height], points.ravel(), [0.95]])
    return picture, row.astype(np.float32)


def draw_scene(rng: np.random.Generator, side: int = 160) -> NDArray[np.uint8]:
    """Return a (side, side, 3) picture of nothing."""
    noise = rng.integers(0, 256, (side // 8, side // 8, 3), np.uint8)
    return cv2.resize(noise, (side, side), interpolation=cv2.INTER_CUBIC).astype(np.uint8)


def encode(picture: NDArray[np.uint8]) -> bytes:
    return bytes(cv2.imencode(".png", picture)[1])


def write_pictures(file: Path, rows: list[dict[str, object]]) -> None:
    """Write rows of image, source, faces and points68 as a parquet file."""
    schema = pa.schema(
        [
            ("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])),
            ("source", pa.string()),
            ("faces", pa.list_(pa.list_(pa.float32(), 15))),
            ("points68", pa.list_(pa.float32())),
        ]
    )
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), file)


@pytest.fixture(scope="session")
def face_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of one parquet file: a drawn face each of forty people, and scenes."""
    rng = np.random.default_rng(1)
    rows: list[dict[str, object]] = []
    for number in range(PEOPLE):
        picture, face = draw_face(rng)
        path = f"drawn/Person_{chr(97 + number % 26)}{chr(97 + number // 26)}_{number}.png"
        rows.append(
            {
                "image": {"bytes": encode(picture), "path": path},
                "source": "drawn",
                "faces": [face.tolist()],
                "points68": None,
            }
        )
    rows += [
        {
            "image": {"bytes": encode(draw_scene(rng)), "path": f"scenes/{number}.png"},
            "source": "scenes",
            "faces": [],
            "points68": None,
        }
        for number in range(SCENES)
    ]
    folder = tmp_path_factory.mktemp("faces")
    write_pictures(folder / "faces_drawn.parquet", rows)
    return folder


@pytest.fixture(scope="session")
def marked_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of drawn actors with 68 and five points, some held back, and scenes."""
    from app.sources.actor import actor_truth, render_frame
    from models.data.faces_parquet import HELD_BACK, person_of
    from models.data.landmark_labels import five_of

    def name(held_back: bool) -> str:
        """Return a person not named before, on one side of the split."""
        while True:
            path = f"actors/Person_{chr(97 + next(letters) % 26)}{next(letters)}x_0.png"
            if (zlib.crc32(person_of(path).encode()) % HELD_BACK == 0) == held_back:
                return path

    letters = itertools.count()
    rng = np.random.default_rng(2)
    rows: list[dict[str, object]] = []
    for number in range(16):
        points = actor_truth(7 * number).landmarks
        left, top = points.min(0) - 60
        right, bottom = points.max(0) + 60
        corner = np.array([round(float(left)), round(float(top))], np.float32)
        frame = render_frame(7 * number)
        picture = frame[int(corner[1]) : round(float(bottom)), int(corner[0]) : round(float(right))]
        points = points - corner
        five = five_of(points[None])[0]
        box = [*points.min(0), *np.ptp(points, axis=0)]
        rows.append(
            {
                "image": {
                    "bytes": encode(np.ascontiguousarray(picture)),
                    "path": name(held_back=number % 4 == 1),
                },
                "source": "actors",
                "faces": [[float(value) for value in (*box, *five.ravel(), 0.95)]],
                # Every fourth face is known by five points only.
                "points68": points.ravel().tolist() if number % 4 else None,
            }
        )
    rows += [
        {
            "image": {"bytes": encode(draw_scene(rng)), "path": f"scenes/{number}.png"},
            "source": "scenes",
            "faces": [],
            "points68": None,
        }
        for number in range(4)
    ]
    folder = tmp_path_factory.mktemp("marked")
    write_pictures(folder / "faces_actors.parquet", rows)
    return folder


@pytest.fixture(scope="session")
def landmark_training(tmp_path_factory: pytest.TempPathFactory, marked_folder: Path) -> Path:
    """Return the folder of a training of two epochs of the landmark network."""
    from models.cli.train import main as train

    folder = tmp_path_factory.mktemp("landmarks")
    (folder / "small.toml").write_text(LANDMARK_RECIPE)
    out = folder / "out"
    arguments = ["--data", str(marked_folder), "--out", str(out), "--device", "cpu"]
    assert train([str(folder / "small.toml"), *arguments, "--threads", "1"]) == 0
    return out


@pytest.fixture(scope="session")
def landmark_file(
    tmp_path_factory: pytest.TempPathFactory, landmark_training: Path, marked_folder: Path
) -> Path:
    """Return what that training comes to as a file."""
    from models.cli.export_onnx import main as export

    file = tmp_path_factory.mktemp("weights") / "landmarks68.onnx"
    data = ["--data", str(marked_folder)]
    assert export([str(landmark_training / "last.pt"), "-o", str(file), *data]) == 0
    return file
