"""The data sets in their published layouts, as small trees made here."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

if find_spec("torch") is None:
    collect_ignore_glob = ["test_*.py"]  # the app's own tests run without the training extra


def _picture(path: Path, gray: int = 90, size: tuple[int, int] = (48, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    assert cv2.imwrite(str(path), np.full((height, width), gray, np.uint8))
    return path


def _jaffe(root: Path) -> Path:
    names = ["KA.AN1.39", "KA.NE1.26", "KL.HA2.159", "KL.SU1.164", "NM.DI1.107", "NM.SA3.112"]
    for number, name in enumerate(names):
        _picture(root / f"{name}.tiff", 10 * number, (256, 256))
    (root / "README").write_text("terms of use")
    return root


def _ck_plus(root: Path) -> Path:
    for subject, sequence, length in (("S005", "001", 11), ("S010", "002", 5)):
        for frame in range(1, length + 1):
            name = f"{subject}_{sequence}_{frame:08}.png"
            folder = root / "cohn-kanade-images" / subject / sequence
            _picture(folder / name, 5 * frame, (64, 48))
    label = root / "Emotion" / "S005" / "001" / "S005_001_00000011_emotion.txt"
    label.parent.mkdir(parents=True)
    label.write_text("   2.0000000e+00\n")
    (root / "Emotion" / "S010" / "002").mkdir(parents=True)  # a sequence without a label
    return root


def _ck48(root: Path) -> Path:
    _picture(root / "contempt" / "S138_008_00000007.png")
    _picture(root / "happy" / "S010_006_00000013.png")
    return root


def _ferg(root: Path) -> Path:
    for character, word in (("aia", "joy"), ("aia", "fear"), ("ray", "sadness")):
        folder = root / "FERG_DB_256" / character / f"{character}_{word}"
        _picture(folder / f"{character}_{word}_1.png", size=(256, 256))
    return root


def _raf_db(root: Path) -> Path:
    rows = {"train_00001": 5, "train_00002": 4, "test_0001": 7}
    for name in rows:
        _picture(root / "basic" / "Image" / "aligned" / f"{name}_aligned.jpg", size=(100, 100))
    labels = root / "basic" / "EmoLabel" / "list_patition_label.txt"
    labels.parent.mkdir(parents=True)
    labels.write_text("".join(f"{name}.jpg {label}\n" for name, label in rows.items()))
    return root


def _affectnet(root: Path) -> Path:
    for part, name, label in (
        ("train_set", "2", "7"),
        ("train_set", "10", "1"),
        ("train_set", "11", "8"),
        ("val_set", "0", "6"),
    ):
        _picture(root / part / "images" / f"{name}.jpg", size=(224, 224))
        (root / part / "annotations").mkdir(exist_ok=True)
        np.save(root / part / "annotations" / f"{name}_exp.npy", np.array(label))
    return root


_HEADER = (
    "subDirectory_filePath,face_x,face_y,face_width,face_height,facial_landmarks,expression,"
    "valence,arousal\n"
)


def _affectnet_tables(root: Path) -> Path:
    """The older layout: a bright box in a dark picture, and a validation table without header."""
    picture = np.full((80, 120), 20, np.uint8)
    picture[10:60, 30:80] = 220
    folder = root / "Manually_Annotated_Images" / "12"
    folder.mkdir(parents=True)
    for name in ("a.png", "b.png"):
        assert cv2.imwrite(str(folder / name), picture)
    row = "12/{},30,10,50,50,1;2,{},0.1,0.2\n"
    text = _HEADER + row.format("a.png", 3) + row.format("gone.png", 10)
    (root / "training.csv").write_text(text)
    (root / "validation.csv").write_text(row.format("b.png", 7))
    return root


def _class_folders(root: Path) -> Path:
    _picture(root / "train" / "angry" / "Training_1.jpg")
    _picture(root / "train" / "Happy" / "Training_2.jpg")
    _picture(root / "test" / "neutral" / "PublicTest_3.jpg")
    _picture(root / "test" / "surprise" / "PrivateTest_4.jpg")
    return root


@pytest.fixture(scope="session")
def published() -> SimpleNamespace:
    """Return what makes each data set in a folder, by its name, and what they are made of."""
    return SimpleNamespace(
        picture=_picture,
        jaffe=_jaffe,
        ck_plus=_ck_plus,
        ck48=_ck48,
        ferg=_ferg,
        raf_db=_raf_db,
        affectnet=_affectnet,
        affectnet_tables=_affectnet_tables,
        class_folders=_class_folders,
        header=_HEADER,
    )
