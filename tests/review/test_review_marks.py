"""What review lets people change: markers, notes and faces."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QLineEdit,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gui.review import markers_tab
from app.review.around import Around, around_events
from app.review.edits import EditList, Name, PutMarker, read_edits
from app.review.series import Series
from tests.review.strokes import at, drag, pixels

if TYPE_CHECKING:
    from tests.review.conftest import Desk, Record

pytestmark = pytest.mark.gui


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


def test_a_marker_is_moved_by_a_drag_and_not_by_a_click_that_trembles(opened: Desk) -> None:
    ruler = opened.review.timeline.ruler
    flag = at(ruler, 2.0, 28) + QPoint(12, 0)
    drag(ruler, flag, flag + QPoint(3, 0))
    assert not opened.model.edits.done
    assert opened.model.position == pytest.approx(2.0)
    drag(ruler, flag, at(ruler, 4.0, 28) + QPoint(12, 0))
    assert opened.model.state.markers[0].time == pytest.approx(4.0, abs=0.03)
    QTest.mouseMove(ruler, at(ruler, 9.0, 28))  # the button is up again
    assert opened.model.position == pytest.approx(4.0, abs=0.03)


def test_a_letter_that_is_no_shortcut_changes_no_marker(opened: Desk) -> None:
    opened.review.side.show_page("Markers")
    table = opened.review.markers.table
    table.setFocus()
    table.setCurrentCell(2, 2)
    QTest.keyClick(table, Qt.Key.Key_Q)
    assert table.findChild(QLineEdit) is None
    QTest.keyClick(table, Qt.Key.Key_F2)
    assert table.findChild(QLineEdit) is not None


def test_faces_are_named_split_left_out_merged_and_all_undone(
    opened: Desk, session: Path, qtbot: QtBot
) -> None:
    review, model = opened.review, opened.model
    before = pixels(review.timeline.lanes)
    item = review.faces.list.item(0)
    item.setText("")
    assert item.text() == "Face 1"
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
    assert merge["Ada"].toolTip() == "Both are in the picture on 20 frames"
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


def test_an_ampersand_in_a_name_is_no_key(opened: Desk) -> None:
    model, review = opened.model, opened.review
    assert model.do(Name(1, "Tom & Jerry"))
    model.choose(2)
    review.faces.fill_merge_menu()
    assert "Tom && Jerry" in [a.text() for a in review.faces.merge_button.menu().actions()]


def test_a_face_alone_is_merged_with_nobody(
    opened: Desk, record: Record, tmp_path: Path, qtbot: QtBot
) -> None:
    button = opened.review.faces.merge_button
    assert button.isEnabled()
    folder = record(tmp_path / "alone", lambda _index: [(1, "neutral")], 5)
    opened.review.open_session(folder)
    opened.wait(qtbot, lambda: opened.model.recording.path == folder)
    assert not button.isEnabled()
    assert "no other face" in button.toolTip()


@pytest.mark.parametrize(
    "name", ["participant_07_second_session_of_the_morning_with_camera_A", "x" * 60]
)
def test_a_long_name_widens_no_page(opened: Desk, name: str) -> None:
    review = opened.review
    review.side.show_page("Interval")
    assert opened.model.do(Name(opened.model.face, name))
    opened.tick()
    QApplication.processEvents()
    assert review.interval.width() <= review.side.width()
    assert review.interval.shares.width() <= review.interval.width()


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


def test_edits_that_cannot_be_saved_are_not_lost_unasked(
    opened: Desk, session: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = [False, True]

    def confirm(_parent: QWidget, _title: str, text: str, _yes: str) -> bool:
        asked.append(text)
        return answers[len(asked) - 1]

    monkeypatch.setattr("app.gui.dialogs.confirm", confirm)
    assert opened.review.unfinished == ""
    obstacle = session / "edits.json.partial"
    obstacle.mkdir()
    QTest.keyClick(opened.review.video, Qt.Key.Key_1)
    assert '"session" could not be saved' in opened.review.unfinished
    opened.review.menu_actions.close.trigger()
    assert len(opened.model.state.markers) == 4
    obstacle.rmdir()
    opened.review.menu_actions.close.trigger()
    assert len(asked) == 1, "they are saved by now"
    assert not opened.model.is_open
    assert len(read_edits(session).done) == 1
    opened.review.open_session(session)
    opened.wait(qtbot, lambda: opened.model.is_open)
    obstacle.mkdir()
    QTest.keyClick(opened.review.video, Qt.Key.Key_2)
    opened.review.menu_actions.close.trigger()
    assert len(asked) == 2
    assert not opened.model.is_open
    assert opened.review.unfinished == ""


def test_the_markers_are_averaged_once_they_are_seen(
    opened: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    filled: list[int] = []
    tab, model = opened.review.markers, opened.model
    fill = tab.fill

    def counted(part: Series, events: Sequence[float], gap: float) -> Around:
        made.append(len(events))
        return around_events(part, events, gap)

    def filling() -> None:
        filled.append(tab.table.rowCount())
        fill()

    monkeypatch.setattr(markers_tab, "around_events", counted)
    monkeypatch.setattr(tab, "fill", filling)
    assert not tab.isVisible()
    model.choose(2)
    model.put_marker("1")
    model.do(Name(2, "Eve"))
    assert not made
    assert not filled
    opened.review.side.show_page("Markers")
    assert made == [4]
    assert tab.table.rowCount() == 4
    model.keep_interval()
    assert (made, filled) == ([4], [0]), "neither the markers nor the face are others"
    model.choose(1)
    assert (made, filled) == ([4, 4], [0])
    model.put_marker("2")
    assert (made, filled) == ([4, 4, 5], [0, 4])
    tab.kind.setCurrentIndex(1)
    assert made == [4, 4, 5, 3]
    opened.review.menu_actions.close.trigger()
    assert tab.table.rowCount() == 0


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


def test_listing_many_markers_measures_each_a_few_times(opened: Desk, session: Path) -> None:
    measured: list[int] = []

    class Counting(QStyledItemDelegate):
        def sizeHint(
            self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
        ) -> QSize:
            measured.append(index.row())
            return super().sizeHint(option, index)

    table = opened.review.markers.table
    table.setItemDelegate(Counting(table))
    opened.review.side.show_page("Markers")
    marks = tuple(PutMarker(f"m{place}", place / 10, "1") for place in range(100))
    opened.model.open(opened.model.recording, EditList(marks))
    table.setFocus()
    table.setCurrentCell(50, 2)
    measured.clear()
    opened.model.put_marker("2")
    assert table.rowCount() == 104
    assert len(measured) < 10 * 104


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


def test_a_neutral_face_is_no_event_to_average(opened: Desk) -> None:
    tab, model = opened.review.markers, opened.model
    sent = (PutMarker("a", 3.0, "lsl", "go"), PutMarker("b", 4.0, "neutral", "face 1"))
    opened.review.side.show_page("Markers")
    model.open(model.recording, EditList(sent))
    shown = [tab.kind.itemText(row) for row in range(tab.kind.count())]
    assert shown == ["all markers", "markers 1 (2)", "markers “go” (1)", "notes (1)"]
    counts = []
    for row in range(tab.kind.count()):
        tab.kind.setCurrentIndex(row)
        counts.append(tab.around.accessibleDescription())
    assert counts == [f"Means over {n}" for n in ("4 markers", "2 markers", "1 marker", "1 marker")]


def test_a_split_begins_with_the_frame_that_is_shown(opened: Desk) -> None:
    opened.model.move_to(5.06)  # the frame of 5.0 is shown
    opened.review.menu_actions.split.trigger()
    state = opened.model.state
    new = max(face.number for face in state.faces)
    rows = state.rows(new)
    assert opened.model.recording.times[rows[0]] == pytest.approx(5.0)
