"""Lists of pictures in the two forms that the region attention network's authors use."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.face_set import FaceSet
from models.data.ferplus import majority
from models.image_list import ListedImage, read_image_list, select_listed
from models.runtime.errors import UserError

PUBLIC = range(64, 96)
"""Rows of PublicTest in the drawn faces."""


def listed(tmp_path: Path, *lines: str) -> list[ListedImage]:
    path = tmp_path / "list.txt"
    path.write_text("\n".join(lines) + "\n")
    return read_image_list(path)


def name(row: int) -> str:
    return f"fer{row:07d}"


def test_each_form_gives_name_and_class(tmp_path: Path) -> None:
    found = listed(
        tmp_path,
        "0/fer0032226.jpg",
        "7_fer0032220.png 8 3",
        "",
        "3/fer0034096 6",
    )
    assert found == [
        ListedImage("fer0032226", 0),
        ListedImage("fer0032220", 7),
        ListedImage("fer0034096", 3),
    ]


@pytest.mark.parametrize(
    "line",
    ["8/fer0032226.jpg", "fer0032226.jpg", "0/fer032226.jpg", "0/fer0032226.jpg eight", "0/x.jpg"],
)
def test_a_line_of_another_form_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(UserError, match=r"list\.txt, line 2: expected a class of 0 to 7") as caught:
        listed(tmp_path, "0/fer0032226.jpg", line)
    assert line in str(caught.value)


def test_a_list_that_is_empty_or_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="found none"):
        listed(tmp_path, "", "  ")
    with pytest.raises(UserError, match="expected a list of pictures"):
        read_image_list(tmp_path / "missing.txt")
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(UserError, match="expected a list of pictures"):
        read_image_list(tmp_path / "binary.txt")


@pytest.mark.parametrize("ending", [".png", ".webp", ""])
def test_names_are_compared_without_their_endings(faces: FaceSet, ending: str) -> None:
    named = replace(faces, names=np.array([f"{name(row)}{ending}" for row in range(len(faces))]))
    chosen = select_listed(named, [ListedImage(name(70), 6)], "PublicTest", "list")
    assert chosen.rows.tolist() == [70]


def test_what_does_not_fit_is_counted_and_named(faces: FaceSet) -> None:
    truth = majority(faces.votes) if faces.votes is not None else None
    assert truth is not None
    wrong = (int(truth[71]) + 1) % 8
    images = [
        ListedImage(name(72), int(truth[72])),
        ListedImage(name(71), wrong),
        ListedImage(name(72), int(truth[72])),  # again
        ListedImage(name(3), 3),  # of Training
        ListedImage("fer9999999", 0),
    ]
    found = select_listed(faces, images, "PublicTest", "poses.txt")
    assert found.rows.tolist() == [71, 72]
    assert (found.listed, found.repeated) == (5, 1)
    assert found.elsewhere == (name(3),)
    assert found.unresolved == ("fer9999999",)
    assert (found.compared, found.disagreeing) == (2, 1)
    words = found.sentence()
    assert "poses.txt: 2 of 5 listed pictures used" in words
    assert "1 not in the data (fer9999999)" in words
    assert "differs from the FER+ majority for 1 of 2" in words


def test_a_picture_without_a_majority_disagrees_with_nothing(faces: FaceSet) -> None:
    assert faces.votes is not None
    votes = faces.votes.copy()
    votes[70] = [5, 5, 0, 0, 0, 0, 0, 0, 0, 0]
    unclear = replace(faces, votes=votes)
    images = [ListedImage(name(70), 3)]
    found = select_listed(unclear, images, "PublicTest", "list")
    assert (found.rows.tolist(), found.compared, found.disagreeing) == ([70], 0, 0)


def test_a_list_for_other_data_says_what_to_do(faces: FaceSet) -> None:
    images = [ListedImage(name(row), 0) for row in PUBLIC]
    with pytest.raises(UserError, match="choose it with --split"):
        select_listed(faces, images, "PrivateTest", "list")
    with pytest.raises(UserError, match="file that the list was made for"):
        select_listed(faces, [ListedImage("fer9999999", 0)], "PublicTest", "list")
    unnamed = replace(faces, names=np.arange(len(faces)).astype(np.str_))
    with pytest.raises(UserError, match=r"no FER\+ names, give fer2013new.csv"):
        select_listed(unnamed, images, "PublicTest", "list")
