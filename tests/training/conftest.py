"""A FER2013 of drawn stripes, small enough to train on in a second."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from models.data.face_set import FaceSet
from models.runtime.labels import FER2013, FERPLUS

if find_spec("torch") is None or find_spec("pyarrow") is None:
    collect_ignore_glob = ["test_*.py"]  # the app's own tests run without the training extra
else:
    import torch

    from models.training.examples import Examples, make_examples
    from models.training.recipe import Augmentation, Recipe
    from models.training.teachers import Teacher, mean_logits

    TRACE = torch.onnx.export

VOTE_HEADER = ["Usage", "Image name", *FERPLUS, "unknown", "NF"]
COPIES = 1
"""Training rows of `faces` whose pixels are those of a PublicTest row."""
BLANK = 1
"""Training rows of `faces` that show nothing."""


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Make torch repeat itself exactly, and leave the other cores alone."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def _traced_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let torch trace a network once in all processes of a run: it takes five to twenty seconds.

    The same network, asked for in the same way, gives the same file to the last byte.
    """
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "traced"
    folder.mkdir(exist_ok=True)

    def remembered(network: torch.nn.Module, args: Any, path: Path, **how: Any) -> None:
        kept = folder / f"{fingerprint(network, args, how)}.onnx"
        if not kept.exists():
            TRACE(network, args, path, **how)
            draft = kept.with_suffix(f".{os.getpid()}")
            shutil.copyfile(path, draft)
            draft.replace(kept)
        shutil.copyfile(kept, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.onnx, "export", remembered)
        yield


def fingerprint(network: torch.nn.Module, args: Any, how: dict[str, Any]) -> str:
    """Return a name for all that a traced file depends on: code, settings, weights, arguments."""
    found = hashlib.sha256(repr((args, sorted(how.items(), key=str))).encode())
    for name, part in network.named_modules():
        settings = {key: value for key, value in vars(part).items() if not key.startswith("_")}
        found.update(f"{name} {type(part)} {sorted(settings.items())}".encode())
        found.update(type(part).forward.__code__.co_code)
    for name, values in network.state_dict().items():
        found.update(name.encode() + values.contiguous().numpy().tobytes())
    return found.hexdigest()


def draw(kind: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw one of eight stripe patterns that mirroring leaves what they are, (48, 48) uint8."""
    turns = (2, 4, 6, 9)[kind % 4]
    wave = np.sin(2 * np.pi * (turns * np.arange(48) / 48 + rng.random()))
    stripes = wave[None, :] if kind < 4 else wave[:, None]
    noise = rng.normal(0, 0.15, (48, 48))
    # Clouds, no two alike: stripes in the same place would be the same picture again.
    clouds = cv2.resize(rng.normal(0, 0.3, (8, 8)), (48, 48), interpolation=cv2.INTER_CUBIC)
    return np.clip(128 + 70 * (stripes + noise + clouds), 0, 255).astype(np.uint8)


def votes_of(kind: int, rng: np.random.Generator) -> list[int]:
    """Return ten votes, most of them for this kind."""
    votes = [0] * len(VOTE_HEADER[2:])
    votes[kind] = 7
    votes[int(rng.integers(8))] += 3
    return votes


@pytest.fixture(scope="session")
def faces() -> FaceSet:
    """Return 64 training, 32 PublicTest and 16 PrivateTest rows; kind k of FER+ in rows k mod 8."""
    rng = np.random.default_rng(7)
    splits = np.array(["Training"] * 64 + ["PublicTest"] * 32 + ["PrivateTest"] * 16)
    kinds = np.arange(len(splits)) % 8
    pixels = np.stack([draw(kind, rng) for kind in kinds.tolist()])
    pixels[8] = pixels[64]
    pixels[17] = 0
    # People err too: a few PublicTest pictures are called what the next one is.
    named = kinds.copy()
    named[66:96:7] = kinds[67:97:7]
    labels = [FER2013.index(FERPLUS[k]) if FERPLUS[k] in FER2013 else 6 for k in named]
    return FaceSet(
        pixels=pixels,
        labels=np.array(labels, dtype=np.int64),
        votes=np.array([votes_of(kind, rng) for kind in named.tolist()], dtype=np.uint8),
        splits=splits,
        names=np.array([f"fer{row:07d}.png" for row in range(len(splits))]),
    )


@pytest.fixture(scope="session")
def write_data() -> Callable[[FaceSet, str, Path], Path]:
    """Return how to write a face set in one of FER2013's three forms."""
    return _write


def _write(faces: FaceSet, form: str, folder: Path) -> Path:
    """Write "parquet", "fer2013" or "icml" into a folder, the csv forms with votes beside them."""
    folder.mkdir(parents=True, exist_ok=True)
    if form == "parquet":
        return _write_parquet(faces, folder / "fer2013.parquet")
    pixels = [" ".join(map(str, face.ravel())) for face in faces.pixels]
    if form == "fer2013":
        path, header = folder / "fer2013.csv", ["emotion", "pixels", "Usage"]
        rows = list(zip(faces.labels, pixels, faces.splits, strict=True))
    else:
        # The challenge's own file has spaces after the commas of its header.
        path, header = folder / "icml_face_data.csv", ["emotion", " Usage", " pixels"]
        rows = list(zip(faces.labels, faces.splits, pixels, strict=True))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    if faces.votes is not None:
        with (folder / "fer2013new.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(VOTE_HEADER)
            for split, name, votes in zip(faces.splits, faces.names, faces.votes, strict=True):
                writer.writerow([split, name, *votes])
    return path


def _write_parquet(faces: FaceSet, path: Path) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = [
        {"bytes": cv2.imencode(".png", face)[1].tobytes(), "path": str(name)}
        for face, name in zip(faces.pixels, faces.names, strict=True)
    ]
    columns = {
        "image": pa.array(images),
        "emotion": pa.array(faces.labels, pa.int8()),
        "usage": pa.array(faces.splits.tolist()),
    }
    if faces.votes is not None:
        columns["votes"] = pa.array(faces.votes.tolist(), pa.list_(pa.uint8(), 10))
    pq.write_table(pa.table(columns), path)
    return path


@pytest.fixture(scope="session")
def data(
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return a parquet file of the faces, for tests that only read it."""
    return write_data(faces, "parquet", tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    """Return a recipe for both label sets that takes a moment."""
    return Recipe.from_dict(
        {
            "architecture": "mini_xception",
            "labels": {"fer2013": 1.0, "ferplus": 1.0},
            "epochs": 4,
            "batch_size": 16,
            "learning_rate": 8e-3,
            "augmentation": {"flip": 0.5, "rotate": 5, "shift": 0.05, "erase": 0.2},
        }
    )


@pytest.fixture(scope="session")
def write_recipe() -> Callable[[Recipe, Path], str]:
    """Return how to write a recipe into a folder; it gives the path as the command takes it."""
    return _write_recipe


def _write_recipe(recipe: Recipe, folder: Path) -> str:
    lines, tables = [], []
    for key, value in recipe.as_dict().items():
        if isinstance(value, dict):
            tables += [
                f"[{key}]",
                *(f"{name} = {json.dumps(part)}" for name, part in value.items()),
            ]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    path = folder / "recipe.toml"
    path.write_text("\n".join(lines + tables) + "\n")
    return str(path)


@pytest.fixture(scope="session")
def trained(
    recipe: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    """Return the folder of a whole run, for tests that only read it."""
    from models.training.run import train

    folder = tmp_path_factory.mktemp("trained")
    name = write_recipe(replace(recipe, epochs=12, batch_size=8, ema=0.9), folder)
    train(recipe_name=name, data=data, out=folder / "run", device="cpu", threads=1)
    return folder / "run"


@pytest.fixture
def traced_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let torch trace every network of this test itself."""
    monkeypatch.setattr(torch.onnx, "export", TRACE)


@pytest.fixture
def note_asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[int]]:
    """Return how to learn of how many pictures a module asks teachers, each time."""

    def note(module: str) -> list[int]:
        asked: list[int] = []

        def noted(teachers: list[Teacher], views: torch.Tensor, sets: list[str]) -> torch.Tensor:
            asked.append(len(views))
            return mean_logits(teachers, views, sets)

        monkeypatch.setattr(f"models.{module}.mean_logits", noted)
        return asked

    return note


@pytest.fixture
def eight(faces: FaceSet) -> Examples:
    """Return one picture of every kind."""
    return make_examples(
        faces.select(np.arange(24, 32)), ["fer2013", "ferplus"], torch.device("cpu")
    )


@pytest.fixture
def plain(recipe: Recipe) -> Recipe:
    """Return the recipe without augmentation."""
    return replace(recipe, augmentation=Augmentation(flip=0))


@pytest.fixture(scope="session")
def checkpoint(trained: Path) -> Path:
    """Return what that training left."""
    return trained / "last.pt"
