"""The chart of the last minute: gaps, what stands out, and what is read under the mouse."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPointF
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.chart_legend import Legend
from app.gui.chart_plot import Plot
from app.gui.history import Agreement, History
from app.gui.strip_chart import StripChart
from app.gui.theme import Theme
from app.palette import DISPLAY_ORDER

if TYPE_CHECKING:
    from tests.window.conftest import Artist

pytestmark = pytest.mark.gui

BOX = (40.0, 100.0, 200.0, 260.0)
Filled = Callable[..., History]


@pytest.fixture
def filled(draw: Artist) -> Filled:
    """Return what makes a history of times, with the likeliest label at each."""

    def fill(times: np.ndarray, label: Callable[[float], str | None]) -> History:
        history = History()
        for index, at in enumerate(times.tolist()):
            said = label(at)
            faces = [draw.face(1, BOX, said, 0.9)] if said else []
            history.add(draw.result(*faces, index=index, at=100 + at, size=(8, 8)))
        return history

    return fill


@pytest.fixture
def plot(qtbot: QtBot, qapp: QApplication) -> Iterator[Plot]:
    made = Plot(Theme(qapp, "dark"))
    qtbot.addWidget(made)
    made.resize(700, 140)
    yield made
    made.close()


def at_seconds(plot: Plot, ago: float) -> QPointF:
    area = plot.area
    return QPointF(area.right() - ago * area.width() / 60, area.center().y())


def test_pauses_are_told_from_faces_that_were_away(filled: Filled) -> None:
    times = np.concatenate([np.arange(0, 10, 1 / 30), np.arange(20, 30, 1 / 30)])
    history = filled(times, lambda at: None if 23 <= at < 26 else "fear")
    assert np.array(history.pauses()).ravel() == pytest.approx([-20, -10], abs=0.1)
    gone = np.flatnonzero(np.isnan(history.lines(1, 10_000)[1]["fear"]))
    assert len(gone) == 2, "the lines are parted in both"
    history.clear()
    assert history.pauses() == ()


def test_a_computer_that_stalls_leaves_no_holes(filled: Filled) -> None:
    times = np.concatenate([np.arange(0, 10, 1 / 30), np.arange(11, 20, 1 / 30)])
    history = filled(times, lambda _: "fear")
    assert history.pauses() == ()
    assert not np.isnan(history.lines(1, 10_000)[1]["fear"]).any()


@pytest.mark.parametrize("seconds", [0.36, 0.8, 1.2, 3.0])
def test_a_slow_model_leaves_no_holes(filled: Filled, seconds: float) -> None:
    history = filled(np.arange(0, 50, seconds), lambda _: "fear")
    assert history.pauses() == ()
    assert not np.isnan(history.lines(1, 400)[1]["fear"]).any()


def test_the_mouse_reads_what_was_said(plot: Plot, filled: Filled) -> None:
    times = np.concatenate([np.arange(0, 30, 1 / 30), np.arange(40, 60, 1 / 30)])
    history = filled(times, lambda at: None if 50 <= at < 53 else "fear" if at < 20 else "anger")
    plot.show_lines(*history.lines(1, 400), history.pauses())
    said = plot.read(at_seconds(plot, 50))
    assert said is not None
    assert round(said.seconds) == 50
    assert said.rows[0] == ("fear", "90 %")
    assert len(said.rows) == 3
    paused, away = plot.read(at_seconds(plot, 25)), plot.read(at_seconds(plot, 8.5))
    assert paused is not None
    assert (paused.rows, paused.note) == ((), "paused")
    assert away is not None
    assert (away.rows, away.note) == ((), "not in view")
    assert plot.read(QPointF(5, 50)) is None
    before = plot.grab().toImage()
    plot._mouse = at_seconds(plot, 50)
    assert plot.grab().toImage() != before


def test_between_the_points_of_a_slow_model_the_nearest_is_read(plot: Plot, filled: Filled) -> None:
    plot.show_lines(*filled(np.arange(0, 60, 3.0), lambda _: "fear").lines(1, 400))
    for ago in (10.4, 1.5, 0):
        said = plot.read(at_seconds(plot, ago))
        assert said is not None
        assert said.rows[0] == ("fear", "90 %")


def test_the_mouse_reads_how_two_models_went_together(plot: Plot, filled: Filled) -> None:
    plot.show_lines(*filled(np.arange(0, 60, 1 / 30), lambda _: "fear").lines(1, 400))
    plot.show_strip(True, Agreement(0.5, 20.0, ((-30.0, -20.0, True), (-20.0, -10.0, False))))
    notes = [plot.read(at_seconds(plot, ago)) for ago in (25, 15, 5)]
    assert [said.note for said in notes if said] == [
        "models agree", "models differ", "not both sure",
    ]  # fmt: skip


def test_the_likeliest_label_stands_out_unless_another_is_pointed_at(
    plot: Plot, filled: Filled
) -> None:
    history = filled(np.arange(0, 60, 1 / 30), lambda at: "fear" if at < 30 else "anger")
    plot.show_lines(*history.lines(1, 400))
    labels = list(plot.lines)
    values = np.stack(list(plot.lines.values()))
    runs = plot._outstanding_runs(values, [])
    assert set(runs) == {labels.index("fear"), labels.index("anger")}
    usual = plot.grab().toImage()
    plot.stand_out("contempt")
    assert set(plot._outstanding_runs(values, [])) == {labels.index("contempt")}
    assert plot.grab().toImage() != usual
    plot.stand_out("")
    assert plot.grab().toImage() == usual


def test_names_stand_beside_the_lines(qtbot: QtBot, qapp: QApplication, filled: Filled) -> None:
    chart = StripChart(Theme(qapp, "dark"), filled(np.arange(0, 5, 1 / 30), lambda _: "fear"))
    qtbot.addWidget(chart)
    chart.resize(700, 176)
    chart.show()
    chart.set_track(1)
    chart.advance(1.0)
    QApplication.processEvents()
    (legend,), (plot,) = chart.findChildren(Legend), chart.findChildren(Plot)
    rows = [legend.place(index) for index in range(len(DISPLAY_ORDER))]
    assert rows[0].center().y() == pytest.approx(plot.area.top(), abs=6)
    assert rows[-1].bottom() <= plot.area.bottom() + 8
    pointed: list[str] = []
    legend.pointed.connect(pointed.append)
    QTest.mouseMove(legend, rows[2].center().toPoint())
    assert pointed[-1] == DISPLAY_ORDER[2]
    chart.close()
