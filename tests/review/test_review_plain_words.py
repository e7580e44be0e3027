"""Names and notes in Review that look like HTML are shown as they were typed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QToolTip

from app.gui.plain import plain_tip
from app.review.edits import Name, PutMarker
from app.review.second import Second
from tests.review.strokes import at

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui

NAME = "<b>x"
SHOWN = plain_tip(NAME)[len("<span>") : -len("</span>")]


def test_no_label_takes_a_name_for_html(opened: Desk) -> None:
    review, model = opened.review, opened.model
    model.do(Name(1, NAME))
    review.bar.set_title(Path(NAME))
    review.empty.show_progress(0.5, f"Analysing {NAME}", NAME)
    recording = model.recording
    read = np.ones(len(recording.times), bool)
    model.compare(Second("other", recording.labels, recording.shown, recording.decided, read))
    for page in ("Interval", "Compare"):
        review.side.show_page(page)
    bearing = [label for label in review.findChildren(QLabel) if NAME in label.text()]
    assert len(bearing) >= 5
    assert {label.textFormat() for label in bearing} == {Qt.TextFormat.PlainText}


def test_no_tooltip_does_so_either(opened: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    review, model = opened.review, opened.model
    model.do(Name(1, NAME))
    model.do(PutMarker("m", 4.0, "lsl", NAME))
    review.bar.set_title(Path(NAME))
    review.empty.set_recent([NAME])
    said: list[str] = []
    monkeypatch.setattr(QToolTip, "showText", lambda _place, text, *_: said.append(text))
    ruler = review.timeline.ruler
    place = at(ruler, 4.0, 28) + QPoint(4, 0)
    QApplication.sendEvent(ruler, QHelpEvent(QHelpEvent.Type.ToolTip, place, place))
    assert said[0].endswith("<br>Drag to move</span>")
    said.append(review.faces.list.item(0).toolTip())
    recent = next(
        each for each in review.empty.findChildren(QPushButton) if NAME in each.accessibleName()
    )
    said.append(recent.toolTip())
    said += [each.toolTip() for each in review.bar.findChildren(QLabel)]
    assert len(said) == 4
    for tip in said:
        assert SHOWN in tip
        assert NAME not in tip
