"""Reading pictures of faces, and which of them are held back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.data.faces_parquet import (
    FacePicture,
    held_back,
    is_scene,
    person_of,
    read_face_pictures,
    read_pixels,
    training_part,
    validation_part,
    without_copies,
)
from models.runtime.errors import UserError
from tests.faces.conftest import PEOPLE, SCENES, draw_face, encode, write_pictures


def stored(path: str, seed: int = 0) -> FacePicture:
    picture, face = draw_face(np.random.default_rng(seed))
    return FacePicture(encode(picture), path, "drawn", face[None], None)


def test_a_folder_is_read_as_it_was_written(face_folder: Path) -> None:
    pictures = read_face_pictures(face_folder)
    assert len(pictures) == PEOPLE + SCENES
    assert sum(map(is_scene, pictures)) == SCENES
    first = pictures[0]
    expected, face = draw_face(np.random.default_rng(1))
    assert np.array_equal(read_pixels(first), expected)
    np.testing.assert_allclose(first.faces, face[None])
    assert first.points68 is None


def test_points_come_as_pairs(tmp_path: Path) -> None:
    picture, face = draw_face(np.random.default_rng(0))
    row: dict[str, object] = {
        "image": {"bytes": encode(picture), "path": "a.png"},
        "source": "drawn",
        "faces": [face.tolist()],
        "points68": list(range(136)),
    }
    write_pictures(tmp_path / "faces.parquet", [row])
    (read,) = read_face_pictures(tmp_path / "faces.parquet")
    assert read.points68 is not None
    assert read.points68.shape == (68, 2)
    assert read.points68[1].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("path", "person"),
    [
        ("lfw/Ada_Byron_12.jpg", "ada_byron"),
        ("other/ada_byron_00.png", "ada_byron"),
        ("masks/0_0_anhu_0162.jpg", "anhu"),
        ("masks/augmented_image_303.jpg", "masks/augmented_image_303"),
        ("mtfl/_-40_184_0.jpg", "mtfl/184"),
        ("mtfl/5055_0_0.jpg", "mtfl/5055"),
        ("mtfl/1887-image20056.jpg", "mtfl/1887-image20056"),
        ("scenes/2018.jpg", "scenes/2018"),
    ],
)
def test_a_name_tells_the_person(path: str, person: str) -> None:
    assert person_of(path) == person


def test_a_person_is_on_one_side_of_the_split() -> None:
    people = [f"Person_{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(400)]
    none = np.zeros((0, 15), np.float32)
    pictures = [
        FacePicture(b"", f"drawn/{name}_{number}.jpg", "drawn", none, None)
        for name in people
        for number in (0, 1)
    ]
    training, validation = training_part(pictures), validation_part(pictures)
    assert len(training) + len(validation) == len(pictures)
    assert not {one.person for one in training} & {one.person for one in validation}
    assert 0.05 < len(validation) / len(pictures) < 0.16


def test_a_copy_of_a_held_back_picture_is_not_trained_on() -> None:
    held, copy, other = stored("a/held.jpg", 3), stored("b/copy.jpg", 3), stored("b/other.jpg", 4)
    assert [one.path for one in without_copies([copy, other], [held])] == ["b/other.jpg"]
    assert without_copies([copy, other], []) == [copy, other]


def test_the_split_is_the_same_on_every_machine() -> None:
    held = [n for n in range(33) if held_back(stored(f"scenes/{n}.png"))]
    assert held == [2, 9, 11, 19, 25, 31, 32]


def test_no_file_says_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"faces_\*\.parquet"):
        read_face_pictures(tmp_path)
    with pytest.raises(UserError, match=r"no file .*absent\.parquet"):
        read_face_pictures(tmp_path / "absent.parquet")


def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    file = tmp_path / "faces.parquet"
    file.write_bytes(b"PAR1 not really")
    with pytest.raises(UserError, match="expected a parquet file of faces"):
        read_face_pictures(file)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    file = tmp_path / "faces.parquet"
    pq.write_table(pa.table({"source": ["drawn"]}), file)
    with pytest.raises(UserError, match="no image or faces"):
        read_face_pictures(file)


def test_too_few_points_are_refused(tmp_path: Path) -> None:
    row: dict[str, object] = {
        "image": {"bytes": b"", "path": "a.png"},
        "source": "drawn",
        "faces": [],
        "points68": [1.0, 2.0],
    }
    write_pictures(tmp_path / "faces.parquet", [row])
    with pytest.raises(UserError, match="2 numbers for 68 points"):
        read_face_pictures(tmp_path / "faces.parquet")


def test_bytes_that_are_no_picture_are_named() -> None:
    broken = FacePicture(b"x" * 100, "a/broken.jpg", "drawn", np.zeros((0, 15), np.float32), None)
    with pytest.raises(UserError, match=r"a/broken\.jpg: expected a picture"):
        read_pixels(broken)
