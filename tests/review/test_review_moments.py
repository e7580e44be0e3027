"""Going through a session: the moment, the picture, the interval."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from tests.review.strokes import at, drag, pixels

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui


def _shown_time(desk: Desk) -> float | None:
    result = desk.review.video.result
    return None if result is None else round(result.frame.captured_at, 3)


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
    table = opened.review.interval.shares
    heads = [table.tip_at(QPoint(table.width() - right, 4)) for right in (150, 100, 30)]
    for tip, words in zip(heads, ("share of the frames", "95 % interval", "mean"), strict=True):
        assert words in tip
    assert table.tip_at(QPoint(4, 50)).startswith("happiness: ")
    assert opened.review.interval.keep_button.text() == "Keep interval"
    assert opened.review.interval.all_button.text() == "Clear selection"
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


def test_brackets_mean_this_moment_also_beyond_the_interval(opened: Desk) -> None:
    model, acts = opened.model, opened.review.menu_actions
    model.select(1.0, 3.0)
    model.move_to(5.0)
    acts.select_start.trigger()
    assert model.selection == pytest.approx((5.0, 11.9))
    model.move_to(8.0)
    acts.select_end.trigger()
    assert model.selection == (5.0, 8.0)
    model.move_to(2.0)
    acts.select_end.trigger()
    assert model.selection == (0.0, 2.0)
    model.move_to(0.0)
    acts.select_end.trigger()
    model.move_to(11.9)
    acts.select_start.trigger()
    assert model.selection == (0.0, 2.0)
    said = [text.split(" this moment")[0] for text in opened.host.notices.texts]
    assert said == ["There is nothing before", "There is nothing after"]


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


def test_a_double_click_names_a_kept_interval(opened: Desk, qtbot: QtBot) -> None:
    model, kept = opened.model, opened.review.interval.kept
    for start in (3.0, 6.0):
        model.select(start, start + 1.0)
        model.keep_interval()
    model.select_nothing()
    assert kept.currentRow() == -1, "Del has nothing to remove"
    opened.review.side.show_page("Interval")
    place = kept.visualItemRect(kept.item(1)).center()
    for name in ("", "the film"):
        QTest.mouseClick(kept.viewport(), Qt.MouseButton.LeftButton, pos=place)
        QTest.mouseDClick(kept.viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert model.selection == (6.0, 7.0)
        (editor,) = kept.findChildren(QLineEdit)
        editor.clear()
        QTest.keyClicks(editor, name)
        QTest.keyClick(editor, Qt.Key.Key_Return)
        shown = name or "0:06.0 to 0:07.0"
        qtbot.waitUntil(lambda shown=shown: kept.item(1).text() == shown)  # type: ignore[misc]
        qtbot.waitUntil(lambda: not kept.findChildren(QLineEdit))
        model.select_nothing()
    assert [one.name for one in model.state.intervals] == ["", "the film"]


def test_the_wheel_zooms_and_0_shows_all(opened: Desk) -> None:
    opened.model.zoom(0.25, 6.0)
    start, end = opened.model.view
    assert end - start == pytest.approx(11.9 / 4)
    assert start < 6.0 < end
    opened.model.show(100.0, 200.0)
    assert opened.model.view[1] == pytest.approx(11.9)
    QTest.keyClick(opened.review.video, Qt.Key.Key_0)
    assert opened.model.view == pytest.approx((0.0, 11.9))


def test_the_line_that_leads_is_named_beside_the_moment(opened: Desk) -> None:
    chart = opened.review.timeline.lines
    (area, _second), *_ = chart.halves(chart.size().toSizeF())
    free = QColor(chart.tokens.background)

    def written(time: float) -> int:
        """Count the pixels right of a moment and above a line at 0.8 that are not free."""
        opened.model.move_to(time)
        picture = chart.grab().toImage()
        ratio = picture.width() / chart.width()
        left, middle = chart.x_of(time) + 3, area.bottom() - 0.8 * area.height()
        xs = range(round(left * ratio), round((left + 60) * ratio))
        ys = range(round((middle - 18) * ratio), round((middle - 1) * ratio))
        return sum(picture.pixelColor(x, y) != free for x in xs for y in ys)

    assert written(7.0) > 50
    opened.model.choose(2)
    assert written(3.0) == 0, "the face is not there"


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
