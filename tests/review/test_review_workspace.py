from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.review.exports import save_picture
from app.gui.review.strips import TimeStrip
from app.review.edits import read_edits
from app.sessions.folder import DAMAGED, read_info, write_info
from app.settings import Settings

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui


def pixels(widget: QWidget) -> bytes:
    image = widget.grab().toImage()
    return bytes(image.constBits())


def at(strip: TimeStrip, time: float, y: float | None = None) -> QPoint:
    """Return the point of a strip that means a time."""
    return QPointF(strip.x_of(time), strip.height() / 2 if y is None else y).toPoint()


def drag(strip: TimeStrip, start: QPoint, end: QPoint) -> None:
    button = Qt.MouseButton.LeftButton
    QTest.mousePress(strip, button, pos=start)
    for share in (0.3, 0.6, 1.0):
        QTest.mouseMove(strip, start + (end - start) * share)
    QTest.mouseRelease(strip, button, pos=end)


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
    assert "No video" in opened.review.video.hint
    changed = opened.review.changed_settings(Settings())
    assert changed.recent_sessions == (str(session.absolute()),)
    assert set(changed.splitters) == {"review", "review_rows"}


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


def test_the_picture_follows_the_moment(opened: Desk, qtbot: QtBot) -> None:
    QTest.mouseClick(
        opened.review.timeline.lines,
        Qt.MouseButton.LeftButton,
        pos=at(opened.review.timeline.lines, 5.0),
    )
    assert opened.model.position == pytest.approx(5.0, abs=0.05)

    def two_faces() -> bool:
        result = opened.review.video.result
        return result is not None and len(result.faces) == 2

    opened.wait(qtbot, two_faces)
    result = opened.review.video.result
    assert result is not None
    assert {face.label for face in result.faces} == {"anger", "neutral"}
    assert result.faces[0].face.landmarks is not None


def test_damaged_landmarks_are_said_once_and_not_drawn(
    desk: Desk, session: Path, qtbot: QtBot
) -> None:
    table = session / "frames.parquet"
    group = pq.read_metadata(table).row_group(0)
    columns = [group.column(place) for place in range(group.num_columns)]
    (points,) = [one for one in columns if one.path_in_schema.startswith("landmarks")]
    with table.open("r+b") as file:
        file.seek(points.dictionary_page_offset or points.data_page_offset)
        file.write(bytes(points.total_compressed_size))
    desk.review.open_session(session)
    for time in (0.0, 5.0):
        desk.model.move_to(time)
        desk.wait(qtbot, lambda time=time: _shown_time(desk) == time)  # type: ignore[misc]
    result = desk.review.video.result
    assert result is not None
    assert [face.face.landmarks for face in result.faces] == [None, None]
    (notice,) = desk.host.notices.texts
    assert "landmarks" in notice


def _shown_time(desk: Desk) -> float | None:
    result = desk.review.video.result
    return None if result is None else round(result.frame.captured_at, 3)


def test_keys_step_and_play(opened: Desk) -> None:
    review = opened.review
    QTest.keyClick(review.video, Qt.Key.Key_Right)
    assert opened.model.position == pytest.approx(0.1)
    QTest.keyClick(review.video, Qt.Key.Key_End)
    assert opened.model.frame == 119
    QTest.keyClick(review.video, Qt.Key.Key_Left)
    assert opened.model.frame == 118
    QTest.keyClick(review.video, Qt.Key.Key_Home)
    QTest.keyClick(review.video, Qt.Key.Key_K)
    QTest.keyClick(review.video, Qt.Key.Key_Space)
    for _ in range(10):
        opened.tick(0.1)
    assert opened.model.position == pytest.approx(2.0, abs=0.25)
    review.leave()
    assert not review.transport.playing


def test_playing_stops_at_the_end_of_the_interval_and_of_the_session(opened: Desk) -> None:
    opened.model.select(1.0, 2.0)
    opened.model.move_to(1.5)
    QTest.keyClick(opened.review.video, Qt.Key.Key_Space)
    for _ in range(20):
        opened.tick(0.1)
    assert opened.model.position == pytest.approx(2.0)
    opened.model.select_nothing()
    opened.model.move_to(11.5)
    QTest.keyClick(opened.review.video, Qt.Key.Key_Space)
    for _ in range(20):
        opened.tick(0.1)
    assert opened.model.position == pytest.approx(11.9)
    assert not opened.review.transport.playing


def test_a_drag_selects_and_the_numbers_follow(opened: Desk) -> None:
    opened.review.side.show_page("Interval")
    lines = opened.review.timeline.lines
    drag(lines, at(lines, 2.0), at(lines, 6.0))
    assert opened.model.selection is not None
    assert opened.model.selection == pytest.approx((2.0, 6.0), abs=0.05)
    summary = opened.review.interval.summary
    assert summary is not None
    assert summary.start == pytest.approx(2.0, abs=0.05)
    shares = {row.label: row.share for row in opened.review.interval.shares.rows}
    assert shares["happiness"] == pytest.approx(0.5, abs=0.05)
    # An end of it can be taken hold of.
    drag(lines, at(lines, opened.model.selection[1]), at(lines, 4.0))
    assert opened.model.selection == pytest.approx((2.0, 4.0), abs=0.05)
    QTest.keyClick(opened.review.video, Qt.Key.Key_D, Qt.KeyboardModifier.ControlModifier)
    assert opened.model.selection is None


def test_brackets_select_from_the_moment(opened: Desk) -> None:
    opened.model.move_to(3.0)
    QTest.keyClick(opened.review.video, Qt.Key.Key_BracketLeft)
    assert opened.model.selection == pytest.approx((3.0, 11.9))
    opened.model.move_to(5.0)
    QTest.keyClick(opened.review.video, Qt.Key.Key_BracketRight)
    assert opened.model.selection == pytest.approx((3.0, 5.0))
    QTest.keyClick(opened.review.video, Qt.Key.Key_I)
    assert opened.review.interval.kept.count() == 1
    assert opened.review.interval.isVisible()


def test_a_kept_interval_is_named_at_once_and_kept_once(opened: Desk, qtbot: QtBot) -> None:
    opened.model.select(3.0, 5.0)
    kept = opened.review.interval.kept
    for name in ("in 1 phase", "in 2 phases"):  # letters and digits that are keys of their own
        QTest.keyClick(opened.review.video, Qt.Key.Key_I)
        (editor,) = kept.findChildren(QLineEdit)
        QTest.keyClicks(editor, name)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda name=name: [kept.item(0).text()] == [name])  # type: ignore[misc]
        qtbot.waitUntil(lambda: not kept.findChildren(QLineEdit))
    assert [(one.start, one.end, one.name) for one in opened.model.state.intervals] == [
        (3.0, 5.0, "in 2 phases")
    ]


def test_markers_are_set_dragged_written_and_removed(
    opened: Desk, session: Path, qtbot: QtBot
) -> None:
    opened.model.move_to(4.0)
    QTest.keyClick(opened.review.video, Qt.Key.Key_3)
    marker = next(m for m in opened.model.state.markers if m.key == "3")
    assert marker.time == pytest.approx(4.0)
    ruler = opened.review.timeline.ruler
    drag(ruler, at(ruler, 4.0, 28) + QPoint(4, 0), at(ruler, 5.0, 28) + QPoint(4, 0))
    marker = next(m for m in opened.model.state.markers if m.key == "3")
    assert marker.time == pytest.approx(5.0, abs=0.1)
    QTest.keyClick(opened.review.video, Qt.Key.Key_N)
    assert opened.review.markers.isVisible()
    editor = opened.review.markers.table.findChild(QLineEdit)
    assert editor is not None
    QTest.keyClicks(editor, "the phone 7")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "the phone 7" in [m.text for m in opened.model.state.markers])
    assert "7" not in [m.key for m in opened.model.state.markers], "typing sets no marker"
    opened.review.markers.remove()
    assert "the phone 7" not in [m.text for m in opened.model.state.markers]
    assert len(read_edits(session).done) == 4


def test_faces_are_named_split_left_out_merged_and_all_undone(
    opened: Desk, session: Path, qtbot: QtBot
) -> None:
    review, model = opened.review, opened.model
    before = pixels(review.timeline.lanes)
    item = review.faces.list.item(0)
    item.setText("Ada")
    assert model.state.title(1) == "Ada"
    model.move_to(6.0)
    QTest.keyClick(review.video, Qt.Key.Key_T)
    assert [face.number for face in model.state.faces] == [1, 2, 3, 4]
    model.choose(4)
    QTest.keyClick(review.video, Qt.Key.Key_X)
    face = model.state.face(4)
    assert face is not None
    assert face.excluded
    assert review.faces.exclude_button.text() == "Take back in"
    model.choose(2)
    review.faces.fill_merge_menu()
    merge = {a.text(): a for a in review.faces.merge_button.menu().actions()}
    assert not merge["Ada"].isEnabled()
    merge["Face 3"].trigger()
    assert [face.number for face in model.state.faces] == [1, 3, 4]
    assert model.face == 3
    assert len(read_edits(session).done) == 4
    assert review.menu_actions.undo.text() == "&Undo merge of face 2 into 3"
    for _ in range(4):
        QTest.keyClick(review.video, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    model.choose(1)
    assert not read_edits(session).done
    assert not review.menu_actions.undo.isEnabled()
    model.move_to(0.0)
    assert pixels(review.timeline.lanes) == before
    QTest.keyClick(review.video, Qt.Key.Key_Y, Qt.KeyboardModifier.ControlModifier)
    assert model.state.title(1) == "Ada"


def test_what_is_left_out_of_the_interval_is_what_is_taken_back(opened: Desk) -> None:
    model, button = opened.model, opened.review.faces.exclude_button

    def press(word: str) -> int:
        """Press the button if it says so; return how many rows of the face count then."""
        assert button.text() == word
        button.click()
        face = model.state.face(1)
        assert face is not None
        return face.kept

    model.select(1.0, 2.95)
    assert press("Leave out") == 100
    model.select(6.0, 7.95)  # of which nothing is left out
    assert press("Leave out") == 80
    assert press("Take back in") == 100
    model.select_nothing()
    assert button.text() == "Take back in"
    model.select(2.0, 3.95)
    assert press("Take back in") == 110
    model.select_nothing()
    assert press("Take back in") == 120
    assert press("Leave out") == 0


def test_an_edit_that_makes_no_sense_is_a_notice(opened: Desk) -> None:
    opened.model.choose(2)
    opened.model.move_to(1.0)
    QTest.keyClick(opened.review.video, Qt.Key.Key_T)
    assert "in between" in opened.host.notices.texts[0]
    assert not opened.model.edits.done


def test_edits_that_cannot_be_saved_are_made_and_said(opened: Desk, session: Path) -> None:
    (session / "edits.json.partial").mkdir()  # in the way of writing
    QTest.keyClick(opened.review.video, Qt.Key.Key_1)
    assert "cannot be saved" in opened.host.notices.texts[0]
    assert len(opened.model.state.markers) == 4


def test_the_wheel_zooms_and_0_shows_all(opened: Desk) -> None:
    opened.model.zoom(0.25, 6.0)
    start, end = opened.model.view
    assert end - start == pytest.approx(11.9 / 4)
    assert start < 6.0 < end
    opened.model.show(100.0, 200.0)
    assert opened.model.view[1] == pytest.approx(11.9)
    QTest.keyClick(opened.review.video, Qt.Key.Key_0)
    assert opened.model.view == pytest.approx((0.0, 11.9))


def test_the_moment_is_drawn_without_painting_the_lines_anew(
    opened: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = opened.review.timeline.lines
    lines.repaint()
    painted: list[int] = []
    monkeypatch.setattr(type(lines), "paint_content", lambda *_: painted.append(1))
    before = pixels(lines)
    opened.model.move_to(7.0)
    assert pixels(lines) != before
    assert painted == []
    opened.model.choose(2)
    lines.repaint()
    assert painted == [1]


def test_every_control_can_be_reached_by_tab_and_has_a_name(opened: Desk) -> None:
    opened.model.put_marker("1")  # so that there is something to undo
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
    for word in ("Play", "Undo", "Report", "Show faces", "Show compare", "Faces of the session"):
        assert any(word in name for name in names), (word, names)


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


def test_a_note_is_set_at_the_moment_it_was_begun_and_not_at_a_marker(
    opened: Desk, qtbot: QtBot
) -> None:
    opened.model.move_to(6.5)
    QTest.keyClick(opened.review.video, Qt.Key.Key_N)
    opened.model.move_to(9.0)  # as while it plays
    editor = opened.review.markers.table.findChild(QLineEdit)
    assert editor is not None
    QTest.keyClicks(editor, "here")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(opened.model.state.markers) == 4)
    assert opened.model.position == pytest.approx(9.0)
    found = [(one.time, one.text) for one in opened.model.state.markers if one.key == "note"]
    assert found == [(6.5, "here"), (pytest.approx(7.05), "the door")]


@pytest.mark.parametrize("key", [Qt.Key.Key_Escape, Qt.Key.Key_Return])
def test_a_note_without_a_text_is_none(opened: Desk, qtbot: QtBot, key: Qt.Key) -> None:
    table = opened.review.markers.table
    opened.model.move_to(6.5)
    QTest.keyClick(opened.review.video, Qt.Key.Key_N)
    assert table.rowCount() == 4
    editor = table.findChild(QLineEdit)
    assert editor is not None
    if key == Qt.Key.Key_Escape:
        QTest.keyClicks(editor, "never mind")
    QTest.keyClick(editor, key)
    qtbot.waitUntil(lambda: table.rowCount() == 3)
    QTest.keyClick(table, Qt.Key.Key_Delete)  # nothing is marked
    assert not opened.model.edits.done
    assert [marker.text for marker in opened.model.state.markers] == ["", "", "the door"]


def test_del_removes_what_is_marked_in_a_list(opened: Desk) -> None:
    table, kept = opened.review.markers.table, opened.review.interval.kept
    opened.review.side.show_page("Markers")
    table.setFocus()
    table.setCurrentCell(1, 0)
    QTest.keyClick(table, Qt.Key.Key_Delete)
    assert [marker.time for marker in opened.model.state.markers] == pytest.approx([2.0, 7.05])
    opened.model.select(3.0, 5.0)
    opened.model.keep_interval()
    opened.review.side.show_page("Interval")
    kept.setFocus()
    QTest.keyClick(kept, Qt.Key.Key_Delete)
    assert not opened.model.state.intervals


def test_the_list_of_markers_goes_nowhere_by_itself(opened: Desk) -> None:
    opened.model.move_to(9.0)
    opened.review.side.show_page("Markers")
    opened.review.markers.table.setFocus()
    opened.review.markers.table.setCurrentCell(0, 0)
    assert opened.model.position == pytest.approx(9.0)
    QTest.keyClick(opened.review.markers.table, Qt.Key.Key_Down)
    assert opened.model.position == pytest.approx(6.0)


def test_a_split_begins_with_the_frame_that_is_shown(opened: Desk) -> None:
    opened.model.move_to(5.06)  # the frame of 5.0 is shown
    opened.review.menu_actions.split.trigger()
    state = opened.model.state
    new = max(face.number for face in state.faces)
    rows = state.rows(new)
    assert opened.model.recording.times[rows[0]] == pytest.approx(5.0)
