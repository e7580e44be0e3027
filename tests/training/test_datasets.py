"""The data sets in their published layouts, as small trees made here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.sources import open_source
from app.sources.actor import actor_truth
from models.data.affectnet import read_affectnet
from models.data.ck_plus import read_ck_plus
from models.data.face_set import FaceSet
from models.data.image_folder import read_image_folder
from models.data.jaffe import SQUARE, read_jaffe
from models.data.labels_map import AFFECTNET, CK_PLUS, FERG, JAFFE, RAF_DB, translate
from models.data.pictures import cut, find_square, read_gray
from models.data.read import read_dataset
from models.measure import truth_for
from models.runtime.errors import UserError
from models.runtime.labels import FER2013, FERPLUS, LABEL_SETS
from models.runtime.preprocess import FER2013_EYES


def _picture(path: Path, gray: int = 90, size: tuple[int, int] = (48, 48)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    assert cv2.imwrite(str(path), np.full((height, width), gray, np.uint8))
    return path


def _words(faces: FaceSet) -> list[str]:
    return [LABEL_SETS[faces.label_set][label] for label in faces.labels]


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


@pytest.mark.parametrize(
    ("make", "source", "label_set", "words", "splits", "subjects"),
    [
        (
            _jaffe,
            "jaffe",
            "fer2013",
            ["anger", "neutral", "happiness", "surprise", "disgust", "sadness"],
            ["all"] * 6,
            ["KA", "KA", "KL", "KL", "NM", "NM"],
        ),
        (
            _ck48,
            "ck_plus",
            "ferplus",
            ["contempt", "happiness"],
            ["all"] * 2,
            ["S138", "S010"],
        ),
        (
            _ferg,
            "ferg",
            "fer2013",
            ["fear", "happiness", "sadness"],
            ["all"] * 3,
            ["aia", "aia", "ray"],
        ),
        (
            _raf_db,
            "raf_db",
            "fer2013",
            ["sadness", "happiness", "neutral"],
            ["Training", "Training", "PrivateTest"],
            None,
        ),
        (
            _affectnet,
            "affectnet",
            "ferplus",
            ["contempt", "happiness", "anger"],
            ["Training", "Training", "PublicTest"],
            None,
        ),
        (
            _affectnet_tables,
            "affectnet",
            "ferplus",
            ["surprise", "contempt"],
            ["Training", "PublicTest"],
            None,
        ),
        (
            _class_folders,
            "image_folder",
            "fer2013",
            ["neutral", "surprise", "happiness", "anger"],
            ["PublicTest", "PrivateTest", "Training", "Training"],
            None,
        ),
    ],
)
def test_every_layout_is_told_and_read(
    tmp_path: Path,
    make: Callable[[Path], Path],
    source: str,
    label_set: str,
    words: list[str],
    splits: list[str],
    subjects: list[str] | None,
) -> None:
    reading = read_dataset(make(tmp_path))
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
    tmp_path: Path,
) -> None:
    root = _ck_plus(tmp_path)
    faces = read_ck_plus(root, frames=3, neutral=True, find_faces=False).faces
    assert _words(faces) == ["neutral", "contempt", "contempt", "contempt"]
    assert [name[9:17] for name in faces.names] == ["00000001", "00000009", "00000010", "00000011"]
    assert [int(face.mean()) for face in faces.pixels] == [5, 45, 50, 55]
    assert faces.subjects is not None
    assert set(faces.subjects) == {"S005"}


def test_a_label_set_without_contempt_leaves_it_out_and_says_so(tmp_path: Path) -> None:
    reading = read_dataset(_affectnet(tmp_path), label_set="fer2013")
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


def test_affectnet_tables_cut_the_box_of_the_face(tmp_path: Path) -> None:
    faces = read_affectnet(_affectnet_tables(tmp_path)).faces
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
    np.testing.assert_allclose(framed, FER2013_EYES, atol=3)


def test_faces_are_not_found_where_there_are_none(tmp_path: Path) -> None:
    assert find_square(np.full((200, 200), 128, np.uint8)) is None
    _picture(tmp_path / "happy" / "a.png", size=(200, 200))
    with pytest.raises(UserError, match="none to use"):
        read_image_folder(tmp_path, find_faces=True)


def _rows(root: Path, text: str) -> None:
    (root / "basic" / "EmoLabel" / "list_patition_label.txt").write_text(text)


def _break_jaffe(root: Path) -> None:
    _picture(_jaffe(root) / "KA.XX1.39.tiff", size=(256, 256))


def _break_jaffe_size(root: Path) -> None:
    _picture(_jaffe(root) / "KA.AN1.39.tiff", size=(48, 48))


def _break_jaffe_bytes(root: Path) -> None:
    (_jaffe(root) / "KA.AN1.39.tiff").write_bytes(b"no picture")


def _break_jaffe_empty(root: Path) -> None:
    (_jaffe(root) / "KA.AN1.39.tiff").write_bytes(b"")


def _break_ck_label(root: Path) -> None:
    next(_ck_plus(root).rglob("*_emotion.txt")).write_text("nan")


def _break_ck_folder(root: Path) -> None:
    for picture in (_ck_plus(root) / "cohn-kanade-images" / "S005" / "001").iterdir():
        picture.unlink()


def _break_ck_without_labels(root: Path) -> None:
    (_ck_plus(root) / "Emotion").rename(root / "Landmarks")


def _break_ferg(root: Path) -> None:
    _picture(_ferg(root) / "FERG_DB_256" / "aia" / "aia_bored" / "1.png")


def _break_raf_label(root: Path) -> None:
    _rows(_raf_db(root), "train_00001.jpg 5\ntrain_00002.jpg 8\n")


def _break_raf_name(root: Path) -> None:
    _rows(_raf_db(root), "picture.jpg 5\n")


def _break_raf_picture(root: Path) -> None:
    _rows(_raf_db(root), "train_00001.jpg 5\n\ntrain_00099.jpg 2\n")


def _break_affectnet(root: Path) -> None:
    np.save(_affectnet(root) / "val_set" / "annotations" / "0_exp.npy", np.array("11"))


def _break_affectnet_file(root: Path) -> None:
    (_affectnet(root) / "val_set" / "annotations" / "0_exp.npy").write_bytes(b"")


def _break_affectnet_picture(root: Path) -> None:
    (_affectnet(root) / "val_set" / "images" / "0.jpg").unlink()


def _break_table_label(root: Path) -> None:
    _affectnet_tables(root)
    (root / "training.csv").write_text(_HEADER + "12/a.png,30,10,50,50,1;2,happy,0.1,0.2\n")


def _break_table_box(root: Path) -> None:
    _affectnet_tables(root)
    (root / "validation.csv").write_text("12/b.png,30,x,50,50,1;2,1,0.1,0.2\n")


def _break_table_row(root: Path) -> None:
    _affectnet_tables(root)
    (root / "validation.csv").write_text("12/b.png,30\n")


def _break_table_picture(root: Path) -> None:
    _affectnet_tables(root)
    (root / "validation.csv").write_text("12/c.png,30,10,50,50,1;2,1,0.1,0.2\n")


def _break_classes(root: Path) -> None:
    _picture(_class_folders(root) / "train" / "bored" / "1.png")


def _nothing(root: Path) -> None:
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
        (_nothing, r"expected one of the layouts .* found notes\.txt"),
    ],
)
def test_what_is_missing_or_malformed_is_named(
    tmp_path: Path, make: Callable[[Path], None], said: str
) -> None:
    make(tmp_path)
    with pytest.raises(UserError, match=said):
        read_dataset(tmp_path)


def test_names_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no folder .*nowhere"):
        read_dataset(tmp_path / "nowhere")
    with pytest.raises(UserError, match=r"kind of data set of auto, fer2013, .* 'jafe'"):
        read_dataset(tmp_path, "jafe")
    with pytest.raises(UserError, match=r"label set of fer2013, .* 'fer7'"):
        read_dataset(tmp_path, label_set="fer7")
    with pytest.raises(UserError, match=r"expected a folder .*nowhere"):
        read_jaffe(tmp_path / "nowhere")
    with pytest.raises(UserError, match="at least 1 frame"):
        read_ck_plus(tmp_path, frames=0)


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


def test_truth_goes_by_words_for_other_data_sets(tmp_path: Path) -> None:
    faces = read_dataset(_jaffe(tmp_path)).faces
    assert [FERPLUS[label] for label in truth_for(faces, "ferplus")] == _words(faces)
    assert list(truth_for(faces, "fer2013-4")) == [0, 3, 1, -1, -1, 2]


def _indices(table: dict[int, str], label_set: tuple[str, ...]) -> list[int]:
    return [label_set.index(word) if word in label_set else -1 for word in table.values()]


def test_the_tables_say_what_was_published() -> None:
    """As indices, written out once more from the papers and read-me files."""
    assert _indices(RAF_DB, FER2013) == [5, 2, 1, 3, 4, 0, 6]
    assert _indices(AFFECTNET, FER2013) == [6, 3, 4, 5, 2, 1, 0, -1]
    assert _indices(AFFECTNET, FERPLUS) == [0, 1, 3, 2, 6, 5, 4, 7]
    assert _indices(CK_PLUS, FER2013) == [6, 0, -1, 1, 2, 3, 4, 5]
    assert _indices(CK_PLUS, FERPLUS) == [0, 4, 7, 5, 6, 1, 3, 2]
    assert [FER2013.index(JAFFE[code]) for code in ("AN", "DI", "FE", "HA", "SA", "SU", "NE")] == [
        *range(7)
    ]
    assert FERG["joy"] == "happiness"


def test_translation_between_label_sets() -> None:
    every: NDArray[np.int64] = np.arange(-1, 7)
    assert list(translate(every, "fer2013", "ferplus")) == [-1, 4, 5, 6, 1, 3, 2, 0]
    assert list(translate(every, "fer2013", "fer2013-4")) == [-1, 0, -1, -1, 1, 2, -1, 3]
    back = translate(np.arange(8), "ferplus", "fer2013")
    assert list(back) == [6, 3, 5, 4, 0, 1, 2, -1]
