"""The review workspace: opening sessions, and the window around them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from app.gui.dialogs import PageDialog
from app.gui.review.exports import save_picture
from app.gui.review.strips import GUTTER
from app.review.edits import Name
from app.review.second import Second
from app.sessions.folder import DAMAGED, read_info, write_info
from app.sessions.mkv import VideoFile
from app.settings import Settings
from tests.review.strokes import pixels, roll_down

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui


def test_without_a_session_it_says_what_to_do(desk: Desk, tmp_path: Path) -> None:
    empty = desk.review.empty
    assert empty.isVisible()
    assert desk.review.status_text == "No session is open"
    assert not desk.review.menu_actions.report.isEnabled()
    assert desk.review.menu_actions.open_session.isEnabled()


def test_an_opened_session_is_shown_and_recent(opened: Desk, session: Path) -> None:
    assert not opened.review.empty.isVisible()
    assert opened.review.timeline.isVisible()
    assert "120 frames" in opened.review.status_text
    assert opened.model.face == 1
    result = opened.review.video.result
    assert result is not None
    assert [face.face.track_id for face in result.faces] == [1]
    assert opened.review.video.caption == "recorded without video"
    changed = opened.review.changed_settings(Settings())
    assert changed.recent_sessions == (str(session.absolute()),)
    assert set(changed.splitters) == {"review", "review_rows"}


def test_points_stand_for_a_face_that_was_not_filmed(
    opened: Desk, session: Path, qtbot: QtBot
) -> None:
    switch = opened.review.menu_actions.overlays["landmarks"]
    assert switch.isChecked()
    writer = VideoFile(session / "video.mkv", 160, 120)
    picture = cv2.imencode(".jpg", np.full((120, 160, 3), 90, np.uint8))[1].tobytes()
    for index in range(120):
        writer.add(picture, index / 10)
    writer.close()
    opened.review.open_session(session)
    opened.wait(qtbot, lambda: not switch.isChecked())
    assert opened.review.video.caption == ""


def test_about_a_session_is_a_summary_with_the_raw_file_behind_a_link(opened: Desk) -> None:
    opened.model.recording.info.update(
        started={"wall": "2026-09-21T10:05:59.123456+00:00", "monotonic": 12.5},
        source={"name": "demo actor", "frame_width": 640, "frame_height": 480, "fps": 30.0},
        model={"name": "mini_xception.ferplus", "provider": "CPU"},
        finder="mien",
        landmarks="landmarks68",
        settings={"smoothing_seconds": 0.25},
        consent={"text": "I agree to be filmed.", "answer": "agreed", "wall": None},
        video={"files": {"raw": "video.mkv"}, "blur": True},
        study="not what it should be",
    )
    opened.review.menu_actions.about.trigger()
    (page,) = opened.host.window.findChildren(PageDialog)
    said = page.page.toPlainText()
    for words in (
        "demo actor", "2026-09-2", "120 frames in 11.9 s", "3 faces on 120 frames; 2 frames passed",
        "640 \N{MULTIPLICATION SIGN} 480 · 30 frames a second", "mini-Xception (FER+) · on CPU",
        "the picture as it is · faces blurred", "0.25 s", "agreed", "I agree to be filmed.",
    ):  # fmt: skip
        assert words in said, words
    for raw in ("monotonic", "123456", "landmarks68", "format"):
        assert raw not in said
    page.page.anchorClicked.emit(QUrl("all"))
    assert "123456" in page.page.toPlainText()
    page.page.anchorClicked.emit(QUrl("summary"))
    assert page.page.toPlainText() == said


def test_the_chart_names_the_levels_of_its_axis(opened: Desk) -> None:
    lines = opened.review.timeline.lines
    (area, _second), *_ = lines.halves(lines.size().toSizeF())
    shown = lines.grab().toImage()
    ground = shown.pixel(GUTTER - 2, 2)
    for share in (0.0, 0.5, 1.0):
        y = round(area.bottom() - share * area.height())
        beside = {
            shown.pixel(x, at) for x in range(GUTTER - 16, GUTTER - 5) for at in (y - 1, y + 1)
        }
        assert beside - {ground}, f"nothing stands beside {share}"


def test_recent_sessions_of_one_name_are_told_apart(desk: Desk, tmp_path: Path) -> None:
    for name in ("other", "second/a & b", "first/a & b"):
        (tmp_path / name).mkdir(parents=True)
        desk.review.note_session(str(tmp_path / name))
    told = ["a && b in first", "a && b in second", "other"]
    (recent,) = (
        action.menu() for action in desk.review.menus[0].actions() if "recent" in action.text()
    )
    assert isinstance(recent, QMenu)
    assert [action.text() for action in recent.actions()] == told
    buttons = desk.review.empty.findChildren(QPushButton)[-3:]  # the newest
    assert [button.text() for button in buttons] == told


def test_what_is_no_session_is_a_notice(desk: Desk, tmp_path: Path, qtbot: QtBot) -> None:
    desk.review.open_session(tmp_path)
    desk.wait(qtbot, lambda: bool(desk.host.notices.texts))
    assert "session.json" in desk.host.notices.texts[0]
    assert desk.review.empty.isVisible()


def test_a_session_that_is_not_all_there_opens_with_a_notice(
    desk: Desk, session: Path, qtbot: QtBot
) -> None:
    write_info(session, read_info(session) | {"state": "recovered", "why": DAMAGED})
    desk.review.open_session(session)
    desk.wait(qtbot, lambda: desk.review.video.result is not None)
    assert desk.host.notices.texts == [DAMAGED]


def focused(desk: Desk) -> QWidget:
    widget = desk.host.window.focusWidget()
    assert widget is not None
    assert widget.isVisible()
    return widget


def test_without_a_session_the_focus_is_where_one_is_opened(
    desk: Desk, session: Path, qtbot: QtBot
) -> None:
    assert focused(desk).property("text") == "Open session…"
    desk.review.open_session(session)
    assert focused(desk) is desk.review.empty.cancel
    desk.wait(qtbot, lambda: desk.model.is_open)
    assert focused(desk) is desk.review.video
    desk.review.close_session()
    assert focused(desk).property("text") == "Open session…"


@pytest.mark.parametrize("page", ["Interval", "Compare"])
def test_what_is_scrolled_by_keys_shows_that_it_has_the_focus(opened: Desk, page: str) -> None:
    opened.host.window.activateWindow()
    opened.review.side.show_page(page)
    (area,) = (
        area
        for area in opened.review.side.findChildren(QScrollArea)
        if area.isVisible() and area.focusPolicy() & Qt.FocusPolicy.TabFocus
    )
    before = pixels(area)
    area.setFocus()
    assert pixels(area) != before


@pytest.mark.parametrize("page", ["Faces", "Interval", "Markers", "Compare"])
def test_every_control_can_be_reached_by_tab_and_has_a_name(opened: Desk, page: str) -> None:
    opened.model.put_marker("1")  # so that there is something to undo
    opened.model.keep_interval()
    opened.review.side.show_page(page)
    widget: QWidget = opened.review.video
    reached: list[QWidget] = []
    for _ in range(60):
        QTest.keyClick(widget, Qt.Key.Key_Tab)
        found = opened.host.window.focusWidget()
        assert found is not None
        widget = found
        if widget in reached:
            break
        reached.append(widget)
    names = [widget.accessibleName() or widget.property("text") or "" for widget in reached]
    assert all(names), reached
    own = {
        "Faces": "Faces of the session", "Interval": "Numbers of the interval",
        "Markers": "Which markers", "Compare": "Comparison with",
    }  # fmt: skip
    for word in ("Play", "Undo", "Export report", "Show faces", "Show compare", own[page]):
        assert any(word in name for name in names), (word, names)


def test_the_wheel_changes_no_choice_without_the_focus(opened: Desk) -> None:
    opened.model.put_marker("1")
    for page, choice in (
        ("Markers", opened.review.markers.kind),
        ("Compare", opened.review.comparison.choice),
    ):
        opened.review.side.show_page(page)
        assert choice.count() > 1
        roll_down(choice)
        assert choice.currentIndex() == 0
        choice.setFocus()
        roll_down(choice)
        assert choice.currentIndex() == 1


def test_no_two_actions_share_a_shortcut(opened: Desk) -> None:
    actions = [*opened.host.actions.all(), *opened.review.menu_actions.all()]
    keys = [key.toString() for action in actions for key in action.shortcuts()]
    assert len(set(keys)) == len(keys)
    assert all(action.toolTip() for action in actions)


@pytest.mark.parametrize("size", [(800, 600), (1280, 800), (2560, 1440)])
def test_review_fits(opened: Desk, size: tuple[int, int]) -> None:
    window = opened.host.window
    window.resize(*size)
    opened.review.use_usual_sizes(*size, Settings())
    for page in opened.review.side.buttons:
        opened.review.side.show_page(page)
        opened.tick()
        assert (window.width(), window.height()) == size
        for child in (opened.review.timeline, opened.review.side, opened.review.bar):
            corner = child.mapTo(window, child.rect().bottomRight())
            assert corner.x() < size[0]
            assert corner.y() < size[1]
    assert opened.review.video.height() > size[1] * 0.25


def test_a_long_name_pushes_no_number_out_of_view(opened: Desk) -> None:
    model, review = opened.model, opened.review
    opened.host.window.resize(800, 600)
    review.use_usual_sizes(800, 600, Settings())
    model.do(Name(1, "participant_07_" * 6))
    rows = len(model.recording.tracks)
    shown, decided = np.full((1, rows), 1.0, np.float32), np.zeros(rows, np.int16)
    model.compare(Second("other", ("anger",), shown, decided, np.ones(rows, bool)))
    for page, numbers in (
        ("Interval", review.interval.shares), ("Compare", review.comparison.changes),
    ):  # fmt: skip
        review.side.show_page(page)
        inside = numbers.parentWidget()
        assert inside is not None
        assert inside.minimumSizeHint().width() < review.side.width(), page


def test_what_is_shown_is_saved_as_png_and_svg(opened: Desk, tmp_path: Path) -> None:
    review = opened.review
    for name in ("shown.png", "shown.svg"):
        save_picture(tmp_path / name, review.video, review.timeline, opened.host.theme)
    image = QImage(str(tmp_path / "shown.png"))
    assert image.width() == 2 * review.timeline.width()
    drawing = (tmp_path / "shown.svg").read_text(encoding="utf-8")
    assert drawing.lstrip().startswith("<?xml")
    assert "Face 1" in drawing
    assert "sans-serif" in drawing


@pytest.mark.parametrize(
    ("action", "writer", "kind", "name"),
    [
        ("export_table", "export_table", "CSV (*.csv)", "table.csv"),
        ("report", "write_report", "Web page (*.html)", "report.html"),
    ],
)
def test_an_export_under_way_is_told_of(
    opened: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str, writer: str,
    kind: str, name: str,
) -> None:  # fmt: skip
    gate = threading.Event()
    monkeypatch.setattr(f"app.gui.review.exports.{writer}", lambda *_, **__: gate.wait(20))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / name), kind))
    getattr(opened.review.menu_actions, action).trigger()
    (said,) = opened.host.jobs.unfinished
    assert f'"{name}" is being saved' in said
    gate.set()
    opened.host.jobs.close()
    assert opened.host.jobs.unfinished == []


@pytest.mark.parametrize("name", ["", "session.json", "frames.parquet", "video_annotated.mkv"])
def test_a_dropped_session_opens_and_other_things_do_not(
    desk: Desk, session: Path, tmp_path: Path, qtbot: QtBot, name: str
) -> None:
    assert not desk.review.open_path(str(tmp_path / "letter.txt"))
    (session / "video_annotated.mkv").touch()
    assert desk.review.open_path(str(session / name))
    desk.wait(qtbot, lambda: desk.model.is_open)
    assert np.isclose(desk.model.duration, 11.9)


def test_videos_and_images_are_analysed_and_other_things_refused(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(desk.review.opener, "analyse", lambda path, *_: asked.append(path.name))
    for name in ("film.mp4", "face.PNG", "letter.txt"):
        monkeypatch.setattr(
            QFileDialog, "getOpenFileName", lambda *_, name=name: (str(tmp_path / name), "")
        )
        desk.review.menu_actions.open_media.trigger()
    assert asked == ["film.mp4", "face.PNG"]
    (notice,) = desk.host.notices.texts
    assert "letter.txt" in notice
