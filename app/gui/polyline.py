"""Lines through many points, handed to Qt as they lie in numpy's memory."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import shiboken6
from numpy.typing import NDArray
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF


def line_pen(colour: QColor) -> QPen:
    """Return the pen of a chart's line: one pixel; Qt takes twenty times as long for wider ones."""
    pen = QPen(colour, 1)
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.FlatCap)
    return pen


def draw_line(
    painter: QPainter, x: NDArray[np.float64], y: NDArray[np.float64], breaks: Sequence[int] = ()
) -> None:
    """Draw a line through points (n,) px. breaks: places of points to which no line leads."""
    points = np.stack([x, y], axis=1)
    ends = [0, *breaks, len(points)]
    for first, after in pairwise(ends):
        if after - first > 1:
            painter.drawPolyline(_polygon(points[first:after]))
        elif after > first:
            painter.drawPoint(_polygon(points[first:after]).first())


def draw_thick_runs(
    painter: QPainter,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    runs: Sequence[tuple[int, int]],
) -> None:
    """Draw pieces of a line through points (n,) px, two pixels thick: there and back.

    runs: the first point of each and that after its last.
    """
    points = np.stack([x, y], axis=1)
    back = points + np.array([0.0, 1.0])
    for first, after in runs:
        if after > first:
            both = np.concatenate([points[first:after], back[first:after][::-1]])
            painter.drawPolyline(_polygon(both))


def _polygon(points: NDArray[np.float64]) -> QPolygonF:
    """Return points (n, 2) as Qt has them, n > 0: two doubles each, one after the other.

    Made one by one in Python they would take twenty times as long as it takes to draw them.
    """
    points = np.ascontiguousarray(points, np.float64)
    polygon = QPolygonF()
    polygon.resize(len(points))
    (address,) = shiboken6.getCppPointer(polygon.data())
    ctypes.memmove(address, points.ctypes.data, points.nbytes)
    return polygon
