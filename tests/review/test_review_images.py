"""A session of images: their names, and a face that is new on each."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.cli.analyze import main
from app.palette import UNSURE
from app.review.edited import edited
from app.review.edits import EditList, Exclude, Name, PutInterval, PutMarker
from app.review.recording import open_recording
from app.review.report import report_page
from app.review.words import between, length, moment
from app.sources.actor import ActorSource
from app.words import per_cent

if TYPE_CHECKING:
    from tests.review.conftest import Desk, Record

pytestmark = pytest.mark.gui


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Analyse four images: a face, none that can be read, two faces, no face."""
    folder = tmp_path_factory.mktemp("images")
    with ActorSource(paced=False) as source:
        frame = source.read()
    assert frame is not None
    face = cv2.resize(frame.image, (320, 240))
    cv2.imwrite(str(folder / "a.png"), face)
    (folder / "b.png").write_text("no image")
    cv2.imwrite(str(folder / "c.png"), np.hstack([face, face]))
    cv2.imwrite(str(folder / "d.png"), np.full_like(face, 90))
    assert main([str(folder), "-o", str(folder / "out"), "--workers", "1"]) == 0
    return next((folder / "out").glob("*/session.json")).parent


def test_each_frame_knows_its_image(images: Path) -> None:
    recording = open_recording(images)
    assert recording.files == ("a.png", "c.png", "d.png")
    assert recording.image_of(1) == "c.png"
    assert [recording.image_number(time) for time in recording.frame_times] == [1, 3, 4]
    assert length(recording) == "3 images"


def test_a_film_has_no_names(record: Record, tmp_path: Path) -> None:
    recording = open_recording(record(tmp_path / "s", lambda _: [(1, "anger")], 5))
    assert recording.files == ()
    assert recording.image_of(3) == ""
    assert length(recording).startswith("5 frames in ")


def test_a_report_of_images_names_each_and_counts_no_time(images: Path) -> None:
    recording = open_recording(images)
    state = edited(recording, EditList((Name(2, "Ada <3"), Exclude(3))))
    page = report_page(state)
    table = page[page.index("<h2>Images") :].split("</table>")[0]
    cells = [re.findall("<td[^>]*>(.*?)</td>", row) for row in table.split("</tr>")[1:-1]]
    assert [row[:2] for row in cells] == [
        ["a.png", "Face 1"], ["c.png", "Ada &lt;3"], ["d.png", "no face that counts"],
    ]  # fmt: skip
    label, confidence, quality = cells[0][2:]
    decided = UNSURE if recording.unsure[0] else recording.labels[recording.decided[0]]
    assert label.endswith(f"</i>{decided}")
    assert confidence == per_cent(float(recording.confidence[0]))
    assert quality == f"{recording.quality[0]:.2f}"
    assert "on 66.7 % of the images" in page
    assert "1 image was passed over" in page
    assert "Labels over time" not in page


def test_the_image_shown_is_named_and_one_of_its_faces_chosen(
    desk: Desk, images: Path, qtbot: QtBot
) -> None:
    desk.review.open_session(images)
    desk.wait(qtbot, lambda: desk.review.video.result is not None)
    model, transport = desk.model, desk.review.transport
    faces = desk.review.faces
    assert transport.moment == "1 / 4 a.png"
    assert model.face == 1
    model.step(1)
    assert transport.moment == "3 / 4 c.png"
    assert model.face == 2
    model.choose(3)  # beside it, on the same image
    assert model.frame == 1
    model.step(1)
    assert transport.moment == "4 / 4 d.png"
    assert model.face == 3  # nobody to choose instead
    faces.list.setCurrentRow(0)
    assert model.face == 1
    assert transport.moment == "1 / 4 a.png"
    assert "3 images" in desk.review.status_text


def test_of_images_numbers_stand_where_times_would(images: Path) -> None:
    recording = open_recording(images)  # of four, the second cannot be read
    assert [moment(recording, time) for time in (0.0, 2.5, 4.0)] == ["1 / 4", "3 / 4", "4 / 4"]
    spans = ((0.0, 2.0), (2.0, 3.2), (2.1, 3.2), (1.2, 1.8))
    found = [between(recording, *ends) for ends in spans]
    assert found == ["images 1 to 3", "images 3 to 4", "image 4", "no image"]
    marked = EditList((PutMarker("m", 2.0, "1"), PutInterval("i", 2.0, 3.0)))
    page = report_page(edited(recording, marked))
    assert "<th class='n'>Image</th>" in page
    assert "<td class='n'>3 / 4</td>" in page
    assert "<h3>images 3 to 4</h3><p class='quiet'>Images 3 to 4; share" in page


def test_the_pages_beside_count_images(desk: Desk, images: Path, qtbot: QtBot) -> None:
    desk.review.open_session(images)
    desk.wait(qtbot, lambda: desk.model.is_open)
    desk.review.side.show_page("Interval")
    desk.model.step(1)
    desk.model.put_marker("1")
    desk.model.select(0.0, 2.5)
    desk.model.keep_interval()
    said = [label.text() for label in desk.review.interval.findChildren(QLabel)]
    assert said[:2] == ["Images 1 to 3", "Face 2 · 2 images"]
    assert said[2].startswith("1 image with this face of 2 (50.0 % missing) · 1 image passed over")
    shares = desk.review.interval.shares
    tips = [shares.tip_at(QPoint(4, y)) for y in range(0, shares.height(), 8)]
    assert any("the longest 1 image" in tip for tip in tips)
    kept = desk.review.interval.kept.item(0)
    assert (kept.text(), kept.toolTip()) == (
        "images 1 to 3", "Images 1 to 3; double click to name it",
    )  # fmt: skip
    desk.review.side.show_page("Markers")
    table = desk.review.markers.table.model()
    assert table.headerData(0, Qt.Orientation.Horizontal) == "Image"
    assert table.data(table.index(0, 0)) == "3 / 4"


def test_what_an_image_says_is_drawn_as_long_as_it_is_shown(
    desk: Desk, images: Path, qtbot: QtBot
) -> None:
    desk.review.open_session(images)
    desk.wait(qtbot, lambda: desk.review.video.result is not None)
    chart = desk.review.timeline.lines
    picture = chart.grab().toImage()
    (area, _second), *_ = chart.halves(chart.size().toSizeF())
    ratio = picture.width() / chart.width()

    def coloured(time: float) -> int:
        """Count the pixels of a column that have a colour, which the grid has not."""
        x = round(chart.x_of(time) * ratio)
        ys = range(round((area.top() - 2) * ratio), round((area.bottom() + 2) * ratio))
        return sum(picture.pixelColor(x, y).saturation() > 90 for y in ys)

    assert coloured(0.5) > 0
    assert coloured(1.5) == 0
