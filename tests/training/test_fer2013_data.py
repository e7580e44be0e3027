from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.data.face_set import FaceSet
from models.data.fer2013 import read_fer2013
from models.runtime.errors import UserError

pytestmark = pytest.mark.train

Write = Callable[[FaceSet, str, Path], Path]
FORMS = ["parquet", "fer2013", "icml"]


def assert_same(found: FaceSet, expected: FaceSet) -> None:
    np.testing.assert_array_equal(found.pixels, expected.pixels)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.splits, expected.splits)
    np.testing.assert_array_equal(found.names, expected.names)
    assert (found.votes is None) == (expected.votes is None)
    if found.votes is not None and expected.votes is not None:
        np.testing.assert_array_equal(found.votes, expected.votes)
        assert found.votes.dtype == np.uint8
    assert found.pixels.dtype == np.uint8
    assert found.labels.dtype == np.int64


def first(faces: FaceSet, count: int = 4) -> FaceSet:
    return faces.select(np.arange(count))


def change(path: Path, row: int, column: str, value: str) -> None:
    """Put a value into a csv file; rows count from 0 after the header."""
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = [name.strip() for name in lines[0]].index(column)
    lines[row + 1][place] = value
    path.write_text("\n".join(",".join(line) for line in lines) + "\n")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_faces(
    form: str, faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    assert_same(read_fer2013(write_data(faces, form, tmp_path)), faces)


@pytest.mark.parametrize("form", FORMS)
def test_without_votes_there_are_none(
    form: str, faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    few = replace(first(faces), votes=None)
    read = read_fer2013(write_data(few, form, tmp_path))
    assert read.votes is None
    if form != "parquet":
        assert read.names.tolist() == ["0", "1", "2", "3"]


@pytest.mark.parametrize("form", ["parquet", "fer2013"])
def test_votes_are_read_from_the_file_given(
    form: str, faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    few = first(faces)
    assert few.votes is not None
    other = replace(few, votes=few.votes[::-1].copy())
    write_data(other, "fer2013", tmp_path / "other")
    read = read_fer2013(
        write_data(few, form, tmp_path), votes=tmp_path / "other" / "fer2013new.csv"
    )
    np.testing.assert_array_equal(read.votes, other.votes)


def test_empty_lines_and_capital_suffixes_are_no_fault(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    few = first(faces)
    path = write_data(few, "fer2013", tmp_path)
    capital = path.rename(tmp_path / "FER2013.CSV")
    capital.write_text(capital.read_text() + "\n\n")
    assert_same(read_fer2013(capital), few)


def test_a_picture_without_a_name_is_named_by_its_row(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "fer2013", tmp_path)
    change(tmp_path / "fer2013new.csv", 2, "Image name", "")
    assert read_fer2013(path).names[2] == "2"


@pytest.mark.parametrize("form", ["fer2013", "icml"])
@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("emotion", "7"),
        ("emotion", "-1"),
        ("emotion", "sad"),
        ("emotion", "²"),
        ("emotion", ""),
        ("Usage", "Test"),
        ("pixels", "1 2 3"),
        ("pixels", " ".join(["256"] * 2304)),
        ("pixels", " ".join(["-1"] * 2304)),
        ("pixels", " ".join(["1.5"] * 2304)),
        ("pixels", ""),
    ],
)
def test_a_bad_value_names_file_row_and_column(
    form: str, column: str, value: str, faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), form, tmp_path)
    change(path, 2, column, value)
    with pytest.raises(UserError) as caught:
        read_fer2013(path)
    assert f"{path}, row 2, column {column}: expected" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_row_cut_short_names_file_and_row(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "fer2013", tmp_path)
    whole = path.read_text().splitlines()
    path.write_text("\n".join([*whole[:-1], whole[-1][:900]]))
    with pytest.raises(UserError, match=r"row 3: expected 3 columns, found 2"):
        read_fer2013(path)


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n"])
def test_a_csv_of_something_else_names_the_columns_expected(content: str, tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_text(content)
    with pytest.raises(UserError, match="expected the columns emotion, pixels, Usage"):
        read_fer2013(path)


def test_a_csv_that_is_no_text_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.csv"
    path.write_bytes(bytes(range(128, 256)))
    with pytest.raises(UserError, match="expected a readable csv file"):
        read_fer2013(path)


def test_votes_of_another_file_are_refused(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(faces, "fer2013", tmp_path)
    votes = tmp_path / "fer2013new.csv"
    whole = votes.read_text().splitlines()
    votes.write_text("\n".join(whole[:-1]))
    with pytest.raises(UserError, match=rf"each of the {len(faces)} .* found {len(faces) - 1}"):
        read_fer2013(path)
    votes.write_text("\n".join([whole[0], *whole[:0:-1]]))
    with pytest.raises(UserError, match=r"row 0, column Usage: expected Training .*PrivateTest"):
        read_fer2013(path)


@pytest.mark.parametrize("value", ["many", "-1", "256", "", "1.0"])
def test_a_bad_vote_names_file_row_and_column(
    value: str, faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "fer2013", tmp_path)
    change(tmp_path / "fer2013new.csv", 1, "fear", value)
    with pytest.raises(UserError, match=r"fer2013new\.csv, row 1, column fear: expected a count"):
        read_fer2013(path)


def test_a_votes_file_that_is_missing_is_named(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "fer2013", tmp_path)
    with pytest.raises(UserError, match=re.escape(str(tmp_path / "none.csv"))):
        read_fer2013(path, votes=tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["missing.csv", "missing.parquet", ""])
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=re.escape(f"found no file {tmp_path / name}")):
        read_fer2013(tmp_path / name)


def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.zip"
    path.write_bytes(b"PK")
    with pytest.raises(UserError, match=r"expected a \.parquet or \.csv file, found fer2013\.zip"):
        read_fer2013(path)


def test_a_blank_webp_of_thirty_bytes_is_a_black_picture(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    # What libwebp makes of 48 x 48 black pixels, losslessly.
    blank = bytes.fromhex("5249464616000000574542505650384c090000002f2fc00b008888fe0700")
    assert len(blank) == 30
    path = write_data(first(faces), "parquet", tmp_path)
    change_parquet(path, "image", 1, {"bytes": blank, "path": "blank.webp"})
    read = read_fer2013(path)
    assert not read.pixels[1].any()
    np.testing.assert_array_equal(read.pixels[2], faces.pixels[2])


def change_parquet(path: Path, column: str, row: int, value: object) -> None:
    table = pq.read_table(path)
    rows = table.column(column).to_pylist()
    rows[row] = value
    array = pa.array(rows)
    pq.write_table(table.set_column(table.column_names.index(column), column, array), path)


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("emotion", 7, "emotion"),
        ("emotion", None, "emotion"),
        ("usage", "Test", "Usage"),
        ("usage", None, "Usage"),
        ("image", {"bytes": b"no picture", "path": "a"}, "image"),
        ("image", {"bytes": None, "path": "a"}, "image"),
        ("image", None, "image"),
        ("votes", [1, 2, 3], "votes"),
        ("votes", [-1] * 10, "votes"),
        ("votes", None, "votes"),
    ],
)
def test_a_bad_value_in_parquet_names_file_row_and_column(
    column: str, value: object, named: str, faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "parquet", tmp_path)
    change_parquet(path, column, 2, value)
    with pytest.raises(UserError) as caught:
        read_fer2013(path)
    assert f"{path}, row 2, column {named}: expected" in str(caught.value)


def test_a_picture_of_another_size_is_refused(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    few = first(faces)
    path = write_data(replace(few, pixels=few.pixels[:, :32]), "parquet", tmp_path)
    with pytest.raises(
        UserError, match="row 0, column image: expected a 48x48 picture, found 48x3"
    ):
        read_fer2013(path)


def test_a_parquet_without_a_column_says_which(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "parquet", tmp_path)
    pq.write_table(pq.read_table(path).drop_columns(["usage"]), path)
    with pytest.raises(UserError, match="expected a column 'usage', found only image, emotion"):
        read_fer2013(path)


def test_a_damaged_parquet_is_said_to_be_none(tmp_path: Path) -> None:
    path = tmp_path / "fer2013.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(UserError, match="expected a parquet file"):
        read_fer2013(path)


def test_a_parquet_without_rows_has_no_faces(
    faces: FaceSet, write_data: Write, tmp_path: Path
) -> None:
    path = write_data(first(faces), "parquet", tmp_path)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    read = read_fer2013(path)
    assert len(read) == 0
    assert read.pixels.shape == (0, 48, 48)
    assert read.votes is not None
    assert read.votes.shape == (0, 10)
