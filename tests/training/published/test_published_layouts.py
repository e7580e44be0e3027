"""Every data set is told by its layout, and read as it was published."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from app.sources import open_source
from app.sources.actor import actor_truth
from models.data.affectnet import read_affectnet
from models.data.ck_plus import read_ck_plus
from models.data.face_set import FaceSet
from models.data.image_folder import read_image_folder
from models.data.jaffe import SQUARE, read_jaffe
from models.data.pictures import cut, find_square, read_gray
from models.data.read import read_dataset
from models.measure import truth_for
from models.runtime.errors import UserError
from models.runtime.framing import EYES
from models.runtime.labels import FERPLUS, LABEL_SETS


def _words(faces: FaceSet) -> list[str]:
    return [LABEL_SETS[faces.label_set][label] for label in faces.labels]


@pytest.mark.parametrize(
    ("make", "source", "label_set", "words", "splits", "subjects"),
    [
        (
            "jaffe",
            "jaffe",
            "fer2013",
            ["anger", "neutral", "happiness", "surprise", "disgust", "sadness"],
            ["all"] * 6,
            ["KA", "KA", "KL", "KL", "NM", "NM"],
        ),
        (
            "ck48",
            "ck_plus",
            "ferplus",
            ["contempt", "happiness"],
            ["all"] * 2,
            ["S138", "S010"],
        ),
        (
            "ferg",
            "ferg",
            "fer2013",
            ["fear", "happiness", "sadness"],
            ["all"] * 3,
            ["aia", "aia", "ray"],
        ),
        (
            "raf_db",
            "raf_db",
            "fer2013",
            ["sadness", "happiness", "neutral"],
            ["Training", "Training", "PrivateTest"],
            None,
        ),
        (
            "affectnet",
            "affectnet",
            "ferplus",
            ["contempt", "happiness", "anger"],
            ["Training", "Training", "PublicTest"],
            None,
        ),
        (
            "affectnet_tables",
            "affectnet",
            "ferplus",
            ["surprise", "contempt"],
            ["Training", "PublicTest"],
            None,
        ),
        (
            "class_folders",
            "fer2013",  # told by the names of the files
            "fer2013",
            ["neutral", "surprise", "happiness", "anger"],
            ["PublicTest", "PrivateTest", "Training", "Training"],
            None,
        ),
    ],
)
def test_every_layout_is_told_and_read(
    published: SimpleNamespace,
    tmp_path: Path,
    make: str,
    source: str,
    label_set: str,
    words: list[str],
    splits: list[str],
    subjects: list[str] | None,
) -> None:
    reading = read_dataset(getattr(published, make)(tmp_path))
    faces = reading.faces
    assert (faces.source, faces.label_set) == (source, label_set)
    assert _words(faces) == words
    assert list(faces.splits) == splits
    assert (None if faces.subjects is None else list(faces.subjects)) == subjects
    assert faces.pixels.shape == (len(words), 48, 48)
    assert faces.pixels.dtype == np.uint8
    assert faces.votes is None
    assert f"{len(words)} pictures" in reading.found


def test_ck_plus_takes_the_peak_and_the_neutral_start_of_labelled_sequences(
    published: SimpleNamespace,
    tmp_path: Path,
) -> None:
    root = published.ck_plus(tmp_path)
    faces = read_ck_plus(root, frames=3, neutral=True, find_faces=False).faces
    assert _words(faces) == ["neutral", "contempt", "contempt", "contempt"]
    assert [name[9:17] for name in faces.names] == ["00000001", "00000009", "00000010", "00000011"]
    assert [int(face.mean()) for face in faces.pixels] == [5, 45, 50, 55]
    assert faces.subjects is not None
    assert set(faces.subjects) == {"S005"}
    assert faces.sequences is not None
    assert set(faces.sequences) == {"S005_001"}
    cut_already = read_ck_plus(published.ck48(tmp_path / "48")).faces
    assert cut_already.sequences is not None
    assert all(
        name in file for name, file in zip(cut_already.sequences, cut_already.names, strict=True)
    )


def test_a_label_set_without_contempt_leaves_it_out_and_says_so(
    published: SimpleNamespace, tmp_path: Path
) -> None:
    reading = read_dataset(published.affectnet(tmp_path), label_set="fer2013")
    assert _words(reading.faces) == ["happiness", "anger"]
    assert "1 left out whose expression fer2013 lacks" in reading.found
    assert "1 without expression left out" in reading.found


def test_jaffe_is_cut_to_its_stated_square(tmp_path: Path) -> None:
    picture = np.zeros((256, 256), np.uint8)
    left, top, side = SQUARE
    picture[top : top + side, left : left + side] = 200
    assert cv2.imwrite(str(tmp_path / "KA.AN1.39.tiff"), picture)
    assert (read_jaffe(tmp_path).faces.pixels == 200).all()
    # Eyes of a FER2013 crop, brought back into the picture, lie where JAFFE has its eyes.
    eyes = np.array([(15.0, 18.9), (32.7, 18.8)]) * side / 48 + (left, top)
    np.testing.assert_allclose(eyes, [(98.5, 124), (157.5, 124)], atol=2)


def test_affectnet_tables_cut_the_box_of_the_face(
    published: SimpleNamespace, tmp_path: Path
) -> None:
    faces = read_affectnet(published.affectnet_tables(tmp_path)).faces
    assert (faces.pixels == 220).all()


def test_pictures_of_any_form_become_square_gray_crops(tmp_path: Path) -> None:
    colour = np.zeros((30, 90, 4), np.uint8)
    colour[:, 30:60] = (200, 200, 200, 0)  # an alpha channel, as FERG has one, changes nothing
    assert cv2.imwrite(str(tmp_path / "wide.png"), colour)
    gray = read_gray(tmp_path / "wide.png")
    assert gray.shape == (30, 90)
    assert (cut(gray, None) == 200).all()
    outside = cut(gray, (-30, -5, 40))
    assert outside.shape == (48, 48)
    assert (outside == 0).all()


@pytest.mark.parametrize("bits", [8, 10, 11, 12, 14, 15, 16])
@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_pictures_of_more_bits_keep_their_brightness(
    tmp_path: Path, bits: int, suffix: str
) -> None:
    ramp = np.linspace(0, 2**bits - 1, 256).astype(np.uint16)[None, :].repeat(48, axis=0)
    file = tmp_path / f"deep.{suffix}"
    assert cv2.imwrite(str(file), ramp)
    # A picture of 15 bits or more is one of 16 that may be dark.
    expected = np.linspace(0, 255 if bits != 15 else 127, 256)[None, :]
    assert np.abs(read_gray(file) - expected).max() < 2


def test_class_folders_are_read_to_their_depth(published: SimpleNamespace, tmp_path: Path) -> None:
    for name in ("happy/day1/1.png", "happy/day2/late/2.png", "sad/3.png", "sad/.cache/4.png"):
        published.picture(tmp_path / name)
    faces = read_dataset(tmp_path).faces
    assert _words(faces) == ["happiness", "happiness", "sadness"]
    assert list(faces.names) == ["happy/day1/1.png", "happy/day2/late/2.png", "sad/3.png"]
    assert set(faces.splits) == {"all"}
    parts = tmp_path / "parts"
    for name in ("train/happy/day1/1.png", "val/sad/2.png"):
        published.picture(parts / name)
    assert list(read_dataset(parts).faces.splits) == ["Training", "PublicTest"]


def test_shrinking_averages_instead_of_picking(tmp_path: Path) -> None:
    fine = np.zeros((480, 480), np.uint8)
    fine[:, ::2] = 200
    assert (cut(fine, None) == 100).all()


def test_ck_plus_is_cut_round_the_face(tmp_path: Path) -> None:
    with open_source("actor", paced=False) as actor:
        frame = actor.read()
    assert frame is not None
    picture = tmp_path / "cohn-kanade-images" / "S005" / "001" / "S005_001_00000001.png"
    picture.parent.mkdir(parents=True)
    assert cv2.imwrite(str(picture), frame.image)
    label = tmp_path / "Emotion" / "S005" / "001" / "S005_001_00000001_emotion.txt"
    label.parent.mkdir(parents=True)
    label.write_text("7")
    square = find_square(read_gray(picture))
    assert square is not None
    face = read_dataset(tmp_path).faces.pixels[0]
    assert np.array_equal(face, cut(read_gray(picture), square))
    landmarks = actor_truth(frame.index).landmarks
    eyes = np.array([landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)])
    framed = (eyes - square[:2]) * 48 / square[2]
    np.testing.assert_allclose(framed, EYES, atol=3)


def test_faces_are_not_found_where_there_are_none(
    published: SimpleNamespace, tmp_path: Path
) -> None:
    assert find_square(np.full((200, 200), 128, np.uint8)) is None
    published.picture(tmp_path / "happy" / "a.png", size=(200, 200))
    with pytest.raises(UserError, match="none to use"):
        read_image_folder(tmp_path, find_faces=True)


def _fer2013_csv(root: Path, *, votes: bool) -> Path:
    pixels = " ".join(["7"] * 2304)
    rows = [f"{label},{pixels},Training" for label in (0, 1, 6)]
    (root / "fer2013.csv").write_text("emotion,pixels,Usage\n" + "\n".join(rows))
    if votes:
        names = "neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
        counts = ("0,0,0,0,9,1,0,0,0,0", "4,0,0,0,0,4,0,0,2,0", "0,0,0,8,0,0,0,0,2,0")
        text = "".join(f"Training,fer{n}.png,{row}\n" for n, row in enumerate(counts))
        (root / "fer2013new.csv").write_text(f"Usage,Image name,{names}\n{text}")
    return root


def test_fer2013_is_found_in_its_folder_and_labelled_as_asked(tmp_path: Path) -> None:
    root = _fer2013_csv(tmp_path, votes=True)
    assert _words(read_dataset(root).faces) == ["anger", "disgust", "neutral"]
    four = read_dataset(root, label_set="fer2013-4").faces
    assert _words(four) == ["anger", "neutral"]
    voted = read_dataset(root, label_set="ferplus").faces
    assert _words(voted) == ["anger", "sadness"]


def test_fer2013_labels_never_stand_in_for_ferplus(tmp_path: Path) -> None:
    root = _fer2013_csv(tmp_path, votes=False)
    with pytest.raises(UserError, match=r"expected FER\+ votes"):
        read_dataset(root, label_set="ferplus")
    with pytest.raises(UserError, match=r"expected FER\+ votes"):
        truth_for(read_dataset(root).faces, "ferplus")


def test_fer2013_as_class_folders_is_fer2013(tmp_path: Path) -> None:
    for number, name in enumerate(("Training_1", "PublicTest_2", "PrivateTest_3")):
        picture = np.full((48, 48), 60 * number, np.uint8)
        file = tmp_path / "train" / "angry" / f"{name}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), picture)
    faces = read_dataset(tmp_path).faces
    assert faces.source == "fer2013"
    assert sorted(faces.splits) == ["PrivateTest", "PublicTest", "Training"]
    with pytest.raises(UserError, match="expected FER\\+ votes"):
        truth_for(faces, "ferplus")
    with pytest.raises(UserError, match="expected FER\\+ votes with FER2013, found class folders"):
        read_dataset(tmp_path, label_set="ferplus")


def test_truth_goes_by_words_for_other_data_sets(
    published: SimpleNamespace, tmp_path: Path
) -> None:
    faces = read_dataset(published.jaffe(tmp_path)).faces
    assert [FERPLUS[label] for label in truth_for(faces, "ferplus")] == _words(faces)
    assert list(truth_for(faces, "fer2013-4")) == [0, 3, 1, -1, -1, 2]


def test_class_folders_say_which_part_of_their_pictures_is_used(tmp_path: Path) -> None:
    (tmp_path / "fear").mkdir()
    assert cv2.imwrite(str(tmp_path / "fear" / "1.png"), np.zeros((50, 80), np.uint8))
    assert read_image_folder(tmp_path).found.endswith("; the largest central square of each")


def test_a_picture_of_impossible_size_is_said(tmp_path: Path) -> None:
    header = struct.pack(">II5B", 40_000, 40_000, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    whole = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + whole + b"\0" * 64)
    with pytest.raises(UserError, match="found a file that does not decode as one"):
        read_gray(tmp_path / "bomb.png")


def test_class_folders_beside_split_folders_are_said(tmp_path: Path) -> None:
    for folder in ("train/angry", "val/angry", "angry"):
        (tmp_path / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / folder / "a.png"), np.full((48, 48), 90, np.uint8))
    with pytest.raises(UserError, match="beside train, found angry: move it into one of them"):
        read_image_folder(tmp_path)
