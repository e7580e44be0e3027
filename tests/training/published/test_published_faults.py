"""What is missing or malformed in a data set is named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from models.data.ck_plus import read_ck_plus
from models.data.jaffe import read_jaffe
from models.data.read import read_dataset
from models.runtime.errors import UserError


def _rows(root: Path, text: str) -> None:
    (root / "basic" / "EmoLabel" / "list_patition_label.txt").write_text(text)


def _break_jaffe(root: Path, published: SimpleNamespace) -> None:
    published.picture(published.jaffe(root) / "KA.XX1.39.tiff", size=(256, 256))


def _break_jaffe_size(root: Path, published: SimpleNamespace) -> None:
    published.picture(published.jaffe(root) / "KA.AN1.39.tiff", size=(48, 48))


def _break_jaffe_bytes(root: Path, published: SimpleNamespace) -> None:
    (published.jaffe(root) / "KA.AN1.39.tiff").write_bytes(b"no picture")


def _break_jaffe_empty(root: Path, published: SimpleNamespace) -> None:
    (published.jaffe(root) / "KA.AN1.39.tiff").write_bytes(b"")


def _break_ck_label(root: Path, published: SimpleNamespace) -> None:
    next(published.ck_plus(root).rglob("*_emotion.txt")).write_text("nan")


def _break_ck_folder(root: Path, published: SimpleNamespace) -> None:
    for picture in (published.ck_plus(root) / "cohn-kanade-images" / "S005" / "001").iterdir():
        picture.unlink()


def _break_ck_without_labels(root: Path, published: SimpleNamespace) -> None:
    (published.ck_plus(root) / "Emotion").rename(root / "Landmarks")


def _break_ferg(root: Path, published: SimpleNamespace) -> None:
    published.picture(published.ferg(root) / "FERG_DB_256" / "aia" / "aia_bored" / "1.png")


def _break_raf_label(root: Path, published: SimpleNamespace) -> None:
    _rows(published.raf_db(root), "train_00001.jpg 5\ntrain_00002.jpg 8\n")


def _break_raf_name(root: Path, published: SimpleNamespace) -> None:
    _rows(published.raf_db(root), "picture.jpg 5\n")


def _break_raf_picture(root: Path, published: SimpleNamespace) -> None:
    _rows(published.raf_db(root), "train_00001.jpg 5\n\ntrain_00099.jpg 2\n")


def _break_affectnet(root: Path, published: SimpleNamespace) -> None:
    np.save(published.affectnet(root) / "val_set" / "annotations" / "0_exp.npy", np.array("11"))


def _break_affectnet_file(root: Path, published: SimpleNamespace) -> None:
    (published.affectnet(root) / "val_set" / "annotations" / "0_exp.npy").write_bytes(b"")


def _break_affectnet_picture(root: Path, published: SimpleNamespace) -> None:
    (published.affectnet(root) / "val_set" / "images" / "0.jpg").unlink()


def _break_table_label(root: Path, published: SimpleNamespace) -> None:
    published.affectnet_tables(root)
    (root / "training.csv").write_text(
        published.header + "12/a.png,30,10,50,50,1;2,happy,0.1,0.2\n"
    )


def _break_table_box(root: Path, published: SimpleNamespace) -> None:
    published.affectnet_tables(root)
    (root / "validation.csv").write_text("12/b.png,30,x,50,50,1;2,1,0.1,0.2\n")


def _break_table_row(root: Path, published: SimpleNamespace) -> None:
    published.affectnet_tables(root)
    (root / "validation.csv").write_text("12/b.png,30\n")


def _break_table_picture(root: Path, published: SimpleNamespace) -> None:
    published.affectnet_tables(root)
    (root / "validation.csv").write_text("12/c.png,30,10,50,50,1;2,1,0.1,0.2\n")


def _break_classes(root: Path, published: SimpleNamespace) -> None:
    published.picture(published.class_folders(root) / "train" / "bored" / "1.png")


def _loose_picture(root: Path, published: SimpleNamespace) -> None:
    published.picture(root / "happy" / "1.png")
    published.picture(root / "b.png")


def _loose_beside_parts(root: Path, published: SimpleNamespace) -> None:
    published.picture(published.class_folders(root) / "b.png")


def _loose_in_a_part(root: Path, published: SimpleNamespace) -> None:
    published.picture(published.class_folders(root) / "train" / "b.png")


def _class_in_a_class(root: Path, published: SimpleNamespace) -> None:
    published.picture(root / "happy" / "days" / "sad" / "1.png")


def _some_named_parts(root: Path, published: SimpleNamespace) -> None:
    for name in ("Training_1.png", "PublicTest_2.png", "own_3.png"):
        published.picture(root / "happy" / name)


def _numbered(root: Path, published: SimpleNamespace) -> None:
    for number in range(7):
        published.picture(root / str(number) / "1.png")


def _numbered_parts(root: Path, published: SimpleNamespace) -> None:
    for part in ("train", "test"):
        _numbered(root / part, published)


def _nothing(root: Path, published: SimpleNamespace) -> None:
    (root / "notes.txt").write_text("no pictures")


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_break_jaffe, r"KA\.XX1\.39\.tiff: expected a name"),
        (_break_jaffe_size, r"KA\.AN1\.39\.tiff: expected a picture of 256x256 .* found 48x48"),
        (_break_jaffe_bytes, r"KA\.AN1\.39\.tiff: expected a picture"),
        (_break_jaffe_empty, r"KA\.AN1\.39\.tiff: expected a picture"),
        (_break_ck_label, r"emotion\.txt, row 0, column 0: expected .* 0 to 7, found 'nan'"),
        (_break_ck_folder, r"emotion\.txt: expected its frames in .*001, found none"),
        (_break_ck_without_labels, r"expected the folder Emotion beside"),
        (_break_ferg, r"aia_bored: expected a folder aia_"),
        (_break_raf_label, r"label\.txt, row 1, column 1: expected 1 to 7, found '8'"),
        (_break_raf_name, r"label\.txt, row 0, column 0: .* found 'picture\.jpg'"),
        (_break_raf_picture, r"label\.txt, row 2, column 0: .*train_00099_aligned\.jpg"),
        (_break_affectnet, r"0_exp\.npy: expected one number of 0 to 10"),
        (_break_affectnet_file, r"0_exp\.npy: expected one number of 0 to 10"),
        (_break_affectnet_picture, r"0_exp\.npy: expected its picture"),
        (_break_table_label, r"training\.csv, row 0, column expression: .* found 'happy'"),
        (_break_table_box, r"validation\.csv, row 0, column face_y: .* found 'x'"),
        (_break_table_row, r"validation\.csv, row 0: expected 9 columns, found 2"),
        (_break_table_picture, r"validation\.csv, row 0, column subDirectory_filePath: .*c\.png"),
        (_break_classes, r"bored: expected a class folder named"),
        (_loose_picture, r"b\.png: expected pictures in class folders alone, found 1 in"),
        (_loose_beside_parts, r"b\.png: expected pictures in class folders alone"),
        (_loose_in_a_part, r"b\.png: expected pictures in class folders alone, found 1 in .*train"),
        (_class_in_a_class, r"sad: expected no folder of another class or part in days"),
        (_some_named_parts, r"own_3\.png: expected a name .* found 1 pictures of 3 without"),
        (_numbered, r"0: expected a class folder named .* found 0: rename it, .* 0 to 6 are anger"),
        (_numbered_parts, r"0: expected a class folder named .* found 0: rename it"),
        (_nothing, r"expected one of the layouts .* found notes\.txt"),
    ],
)
def test_what_is_missing_or_malformed_is_named(
    published: SimpleNamespace,
    tmp_path: Path,
    make: Callable[[Path, SimpleNamespace], None],
    said: str,
) -> None:
    make(tmp_path, published)
    with pytest.raises(UserError, match=said):
        read_dataset(tmp_path)


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no file or folder .*nowhere"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"kind of data set of auto, fer2013, .* 'jafe'"):
        read_dataset(tmp_path, "jafe")
    with pytest.raises(UserError, match=r"label set of fer2013, .* 'fer7'"):
        read_dataset(tmp_path, label_set="fer7")
    with pytest.raises(UserError, match=r"expected a folder .*nowhere"):
        read_jaffe(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"expected train_set/annotations, or .* found neither"):
        read_dataset(tmp_path, "affectnet")
    with pytest.raises(UserError, match="at least 1 frame"):
        read_ck_plus(tmp_path, frames=0)
