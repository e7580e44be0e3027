"""Lines handed to Qt in numpy's memory."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from app.gui.polyline import draw_line, line_pen

pytestmark = pytest.mark.gui


def inked(x: list[float], y: list[float], breaks: list[int]) -> set[tuple[int, int]]:
    """Return the pixels that a line colours."""
    image = QImage(20, 10, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    painter.setPen(line_pen(QColor("white")))
    draw_line(painter, np.array(x), np.array(y), breaks)
    painter.end()
    return {
        (across, down)
        for across in range(20)
        for down in range(10)
        if image.pixelColor(across, down) == QColor("white")
    }


def test_a_line_goes_through_its_points_and_stops_at_breaks() -> None:
    y = [5.0] * 5
    whole = inked([2, 4, 6, 10, 12], y, [])
    assert {across for across, _ in whole} >= set(range(2, 12))
    assert {down for _, down in whole} == {5}
    parted = inked([2, 4, 6, 10, 12], y, [3])
    assert {across for across, _ in parted} >= {2, 3, 4, 5, 10, 11}
    assert not {across for across, _ in parted} & {7, 8, 9}


def test_a_lone_point_is_seen_and_no_points_are_no_fault() -> None:
    assert inked([3, 9], [4, 4], [1]) == {(3, 4), (9, 4)}
    assert inked([], [], []) == set()
