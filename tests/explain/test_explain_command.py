"""fer-explain: what it draws, and what it says of wrong arguments."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.cli.explain import main
from app.cli.explain_figure import (
    CELL,
    Column,
    Group,
    Part,
    Row,
    Sheet,
    bands,
    draw,
    pages,
    wrapped,
)
from app.cli.explain_models import ModelColumns
from app.cli.explain_paint import framed, gray_picture, overlaid, relief
from app.sources.actor import ActorSource
from models.explain.faithfulness import Faithfulness
from models.explain.note import Note, write_note
from models.runtime.classifier import OnnxClassifier
from models.runtime.labels import FER2013

Crop = NDArray[np.uint8]
DrawPatch = Callable[..., Crop]
GOLDEN = Path(__file__).parents[1] / "golden" / "explain.png"
UPDATE = bool(os.environ.get("MIEN_UPDATE_GOLDEN"))


@pytest.fixture
def faces(tmp_path: Path, draw_patch: DrawPatch) -> Path:
    """Return a folder of two faces that were cut out already."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for label in (0, 6):
        cv2.imwrite(str(folder / f"{FER2013[label]}.png"), draw_patch(label))
    return folder


def explain(*words: str | Path) -> int:
    return main([str(word) for word in words])


def refused(capsys: pytest.CaptureFixture[str], *words: str | Path) -> str:
    """Run a command that must fail; return its one sentence."""
    assert explain(*words) == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("error: ") for line in lines].count(True) == 1
    assert all(line.startswith(("error: ", "note: ")) for line in lines)
    return lines[-1]


def read(path: Path) -> Crop:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_the_figure_looks_as_it_did(
    classifier: OnnxClassifier, faces: Path, tmp_path: Path
) -> None:
    """Compare with the stored figure; MIEN_UPDATE_GOLDEN=1 stores it anew."""
    found = Faithfulness("cam", "", 90, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4, 0.4)
    write_note(classifier.path, Note("fer.csv", "PublicTest", "2026-01-31", (found,)))
    out = tmp_path / "figure.png"
    assert explain(faces, "-o", out, "--model", classifier.path) == 0
    drawn = read(out)
    small = np.asarray(cv2.resize(drawn, None, fx=1 / 3, fy=1 / 3, interpolation=cv2.INTER_AREA))
    if UPDATE:
        cv2.imwrite(str(GOLDEN), small)
    stored = read(GOLDEN)
    assert small.shape == stored.shape
    apart = np.abs(small.astype(int) - stored)
    assert apart.mean() < 0.5
    assert apart.max() < 40


def test_png_and_pdf_are_written_at_print_size(
    classifier: OnnxClassifier, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("figure.png", "figure.PDF"):
        assert explain(faces, "-o", tmp_path / name, "--model", classifier.path) == 0
    assert capsys.readouterr().out.count("wrote ") == 2
    with Image.open(tmp_path / "figure.png") as image:
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        assert image.mode == "RGB"
    pdf = (tmp_path / "figure.PDF").read_bytes()
    assert pdf.startswith(b"%PDF")
    assert not list(tmp_path.glob("*.partial"))


def test_models_stand_side_by_side(
    classifier: OnnxClassifier, make_model: Callable[..., Path], faces: Path, tmp_path: Path
) -> None:
    other = make_model("other", guided=False)
    words = (faces, "-o", tmp_path / "one.png", "--model", classifier.path)
    assert explain(*words) == 0
    assert (
        explain(faces, "-o", tmp_path / "two.png", "--model", classifier.path, "--model", other)
        == 0
    )
    one, two = (read(tmp_path / f"{name}.png").shape for name in ("one", "two"))
    # The other has no backward graph, so that two columns come beside three.
    assert two[1] - one[1] > 2 * CELL
    assert two[1] - one[1] < 3 * CELL


def test_methods_are_shown_in_the_order_asked_for(
    classifier: OnnxClassifier, faces: Path, tmp_path: Path
) -> None:
    for name, methods in (("both", "cam,guided"), ("turned", "guided, cam")):
        words = ("--model", classifier.path, "--methods", methods)
        assert explain(faces / "anger.png", "-o", tmp_path / f"{name}.png", *words) == 0
    both, turned = (read(tmp_path / f"{name}.png") for name in ("both", "turned"))
    assert both.shape == turned.shape
    last = np.s_[300:-300, -48 - CELL : -48]
    before = np.s_[300:-300, -62 - 2 * CELL : -62 - CELL]
    np.testing.assert_array_equal(both[last], turned[before])
    assert (both[last] != turned[last]).any()


def test_a_picture_that_no_network_looks_at_is_no_column() -> None:
    said: list[str] = []
    names = ("deep_emotion.fer2013", "deep_emotion_parallel.fer2013", "acn.fer2013-4")
    picture, *features = (ModelColumns(name, None, said.append).methods for name in names)
    assert picture == ["theta", "warped", "guided", "occlusion"]
    assert features == [["theta", "guided", "occlusion"]] * 2
    assert said == []


def test_a_label_can_be_chosen(classifier: OnnxClassifier, faces: Path, tmp_path: Path) -> None:
    words = ("--model", classifier.path, "--methods", "guided")
    assert explain(faces / "anger.png", "-o", tmp_path / "own.png", *words) == 0
    other = (*words, "--label", "neutral")
    assert explain(faces / "anger.png", "-o", tmp_path / "other.png", *other) == 0
    own, wished = (read(tmp_path / f"{name}.png") for name in ("own", "other"))
    map_of_it = np.s_[300:-300, -48 - CELL : -48]
    assert (own[map_of_it] != wished[map_of_it]).any()


def test_a_face_is_found_and_aligned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with ActorSource(paced=False) as source:
        frame = source.read()
    assert frame is not None
    cv2.imwrite(str(tmp_path / "actor.png"), frame.image)
    cv2.imwrite(str(tmp_path / "wall.png"), np.full((240, 320, 3), 90, np.uint8))
    (tmp_path / "broken.png").write_text("no picture")
    pictures = [tmp_path / name for name in ("actor.png", "wall.png", "broken.png")]
    assert explain(*pictures, "-o", tmp_path / "out.png", "--methods", "cam") == 0
    said = capsys.readouterr().err
    assert 'No face was found in "wall.png"' in said
    assert '"broken.png" cannot be read' in said
    assert read(tmp_path / "out.png").shape[0] < 3.3 * CELL  # head, foot and one row
    assert "none was found" in refused(capsys, *pictures[1:], "-o", tmp_path / "out.png")


def test_average_maps_over_a_data_set(
    classifier: OnnxClassifier,
    draw_patch: DrawPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = ["emotion,pixels,Usage"]
    for seed in range(6):
        label = (0, 6)[seed % 2]
        pixels = " ".join(map(str, draw_patch(label, seed).ravel()))
        lines.append(f"{label},{pixels},PublicTest")
    data = tmp_path / "fer2013.csv"
    data.write_text("\n".join(lines) + "\n")
    out = tmp_path / "average.png"
    words = ("--model", classifier.path, "-o", out)
    assert explain("--average", data, *words, "--pictures", "2") == 0
    assert "There is no picture of fear" in capsys.readouterr().err
    assert 3.5 * CELL < read(out).shape[0] < 4.5 * CELL  # head, foot and two rows
    said = refused(capsys, "--average", data, *words, "--split", "Training")
    assert "has the splits PublicTest" in said


def test_what_cannot_be_done_is_said_in_one_sentence(
    classifier: OnnxClassifier, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    model = ("--model", classifier.path)
    for words, said in (
        ((faces, "-o", tmp_path / "out.jpg"), "ends in .png or .pdf"),
        ((faces, "-o", tmp_path / "no" / "out.png"), "does not exist"),
        (("-o", out), "Images were expected, or --average"),
        ((faces, "--average", faces, "-o", out), "give one of both"),
        ((tmp_path / "none.png", "-o", out, *model), "There is no image or folder"),
        ((faces, "-o", out, *model, "--methods", "cam,magic"), 'not "magic"'),
        ((faces, "-o", out, *model, "--methods", " ,"), "Names of methods"),
        ((faces, "-o", out, *model, "--finder", "haar", "--yunet", "x.onnx"), "leave one out"),
        ((faces, "-o", out, *model, "--label", "contempt"), 'not "contempt"'),
        ((faces, "-o", out, "--model", "no_such_model"), "no_such_model"),
        ((faces, "-o", out, *model, "--pictures", "0"), "--pictures"),
        (("--average", faces, "-o", out, *model, "--label", "fear"), "--label goes with images"),
        (("--average", faces, "-o", out, *model, "--whole"), "--whole goes with images"),
        (("--average", faces, "-o", out, *model, "--all-faces"), "--all-faces goes with images"),
        (("--average", faces, "-o", out, *model, "--finder", "haar"), "--finder goes with images"),
        (("--average", tmp_path / "none.csv", "-o", out, *model), "none.csv"),
    ):
        assert said in refused(capsys, *words)
    assert not out.exists()
    (tmp_path / "empty").mkdir()
    assert "has no images" in refused(capsys, tmp_path / "empty", "-o", out, *model)


def test_too_many_faces_are_refused(
    classifier: OnnxClassifier, faces: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    many = [faces / "anger.png"] * 61
    said = refused(capsys, *many, "-o", tmp_path / "out.png", "--model", classifier.path)
    assert "At most 60 faces" in said


def sheet(rows: int) -> Sheet:
    picture = np.full((CELL, CELL, 3), 128, np.uint8)
    row = Row("a", picture, (Part("anger", "anger 50%", (picture,)),))
    return Sheet("face", (Group("model", (Column("map"),)),), (row,) * rows, ("A sentence.",))


def test_a_long_figure_goes_over_several_pages() -> None:
    assert [len(page.rows) for page in pages(sheet(12), 5)] == [5, 5, 2]
    assert [len(page.rows) for page in pages(sheet(12), None)] == [12]
    assert draw(sheet(2)).height - draw(sheet(1)).height > CELL


def test_many_models_go_on_below_with_the_faces_again() -> None:
    counts = (5, 5, 4, 13, 1)
    groups = tuple(
        Group(f"model {number}", tuple(Column("map") for _ in range(count)))
        for number, count in enumerate(counts)
    )
    picture = np.zeros((CELL, CELL, 3), np.uint8)
    parts = tuple(Part("", "", (picture,) * count) for count in counts)
    wide = Sheet("face", groups, (Row("one", picture, parts), Row("two", picture, parts)), ("A.",))
    found = bands(wide)
    assert [[len(group.columns) for group in band.groups] for band in found] == [
        [5, 5],
        [4],
        [13],  # a model stays in one piece
        [1],
    ]
    assert all([row.name for row in band.rows] == ["one", "two"] for band in found)
    assert [len(band.rows[0].parts) for band in found] == [2, 1, 1, 1]
    drawn = draw(wide)
    assert drawn.width < draw(Sheet("face", groups[3:4], found[2].rows, ())).width + 2
    assert drawn.height > 3 * draw(found[3]).height


def test_words_that_are_too_long_are_shortened() -> None:
    lines = wrapped("a word and antidisestablishmentarianism", 20, 120)
    assert lines[0] == "a word and"
    assert lines[-1].endswith("…")


def test_a_map_paints_over_what_matters_and_leaves_the_rest() -> None:
    crop = np.full((48, 48), 100, np.uint8)
    values = np.zeros((48, 48), np.float32)
    values[:16, :16] = 1
    painted = overlaid(crop, values, 96).astype(int)
    assert np.abs(painted[40:, 40:] - 100).max() <= 1
    assert painted[8, 8].tolist() != [100, 100, 100]
    assert painted[8, 8, 0] > painted[8, 8, 2] + 60  # yellow: much red, little blue


def test_no_gradient_is_middle_gray_and_signs_part_from_it() -> None:
    gradient = np.zeros((48, 48), np.float32)
    gradient[10, 10], gradient[30, 30] = 1, -1
    shown = relief(gradient, 48)[..., 0].astype(int)
    assert shown[0, 0] == 128
    assert shown[10, 10] > 200 > 60 > shown[30, 30]
    assert (relief(np.zeros((48, 48), np.float32), 48) == 128).all()


def test_outside_the_quadrilateral_is_dark() -> None:
    crop = np.full((48, 48), 200, np.uint8)
    mask = np.zeros((48, 48), np.float32)
    mask[12:36, 12:36] = 1
    corners = np.array([[11.5, 11.5], [35.5, 11.5], [35.5, 35.5], [11.5, 35.5]], np.float32)
    shown = framed(crop, mask, corners, 96)
    assert shown[48, 48].tolist() == gray_picture(crop, 96)[48, 48].tolist()
    assert shown[4, 4].max() < 80
    red, _, blue = shown[24, 48].astype(int)
    assert red - blue > 150  # the yellow edge
