"""The window's signs, drawn by code on a grid of 20 so that they are sharp at any scale."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

from app.gui.theme import Tokens

_GRID = 20
SIGN_SIZE = QSize(_GRID, _GRID)
"""At which buttons show the signs: at another one their lines are blurred."""
_RED = QColor("#E5484D")
# Device pixels a side: 1x to 4x.
_SIZES = (20, 25, 30, 40, 60, 80)


def icon(name: str, tokens: Tokens) -> QIcon:
    """Return a sign of `NAMES`, in the accent colour where its button is checked."""
    made = QIcon()
    for mode, state, ink in (
        (QIcon.Mode.Normal, QIcon.State.Off, tokens.text),
        (QIcon.Mode.Normal, QIcon.State.On, tokens.accent),
        (QIcon.Mode.Disabled, QIcon.State.Off, tokens.quiet),
        (QIcon.Mode.Disabled, QIcon.State.On, tokens.quiet),
    ):
        for size in _SIZES:
            made.addPixmap(_pixmap(_DRAW[name], size, QColor(ink)), mode, state)
    return made


def window_icon() -> QIcon:
    """Return the program's own sign: brackets around two eyes and a mouth."""
    made = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        made.addPixmap(_pixmap(_mien, size, QColor("#4C9AFF")))
    return made


def failed_icon(tokens: Tokens) -> QIcon:
    """Return the sign beside what failed, in the colour for danger."""
    made = QIcon()
    for size in _SIZES:
        drawn = _pixmap(_failed, size, QColor(tokens.danger))
        for mode in (QIcon.Mode.Normal, QIcon.Mode.Selected):
            made.addPixmap(drawn, mode)
    return made


def _pixmap(draw: Callable[[QPainter, QColor], None], size: int, ink: QColor) -> QPixmap:
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / _GRID, size / _GRID)
    pen = QPen(ink, 1.6)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    draw(painter, ink)
    painter.end()
    return pixmap


def _fill(painter: QPainter, ink: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ink)


def _brackets(painter: QPainter, _ink: QColor) -> None:
    path = QPainterPath()
    for x, across in ((3.0, 1), (17.0, -1)):
        for y, down in ((3.0, 1), (17.0, -1)):
            path.moveTo(x, y + 4 * down)
            path.lineTo(x, y)
            path.lineTo(x + 4 * across, y)
    painter.drawPath(path)


def _bars(painter: QPainter, ink: QColor) -> None:
    _fill(painter, ink)
    for y, length in ((3.5, 14.0), (8.5, 8.0), (13.5, 4.5)):
        painter.drawRoundedRect(QRectF(3, y, length, 3), 1.5, 1.5)


def _landmarks(painter: QPainter, ink: QColor) -> None:
    _fill(painter, ink)
    for x, y in ((5.5, 6), (8, 5), (12, 5), (14.5, 6), (10, 8), (10, 11), (6, 13.5), (8.5, 15.5),
                 (11.5, 15.5), (14, 13.5)):  # fmt: skip
        painter.drawEllipse(QPointF(x, y), 1.15, 1.15)


def _attention(painter: QPainter, ink: QColor) -> None:
    _fill(painter, ink)
    for radius, opacity in ((8.0, 0.25), (5.3, 0.45), (2.7, 1.0)):
        painter.setOpacity(opacity)
        painter.drawEllipse(QPointF(10, 10), radius, radius)


def _mirror(painter: QPainter, ink: QColor) -> None:
    painter.drawPolygon(QPolygonF([QPointF(8, 5), QPointF(8, 15), QPointF(2.5, 15)]))
    painter.drawLine(QPointF(10, 2.5), QPointF(10, 17.5))
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([QPointF(12, 5), QPointF(12, 15), QPointF(17.5, 15)]))


def _pause(painter: QPainter, ink: QColor) -> None:
    _fill(painter, ink)
    painter.drawRoundedRect(QRectF(5, 4, 3.5, 12), 1, 1)
    painter.drawRoundedRect(QRectF(11.5, 4, 3.5, 12), 1, 1)


def _play(painter: QPainter, ink: QColor) -> None:
    painter.setBrush(ink)
    painter.drawPolygon(QPolygonF([QPointF(6, 4), QPointF(16, 10), QPointF(6, 16)]))


def _snapshot(painter: QPainter, _ink: QColor) -> None:
    body = QPainterPath()
    body.addRoundedRect(QRectF(2.5, 6, 15, 10.5), 2, 2)
    painter.drawPath(body)
    painter.drawPolyline(
        QPolygonF([QPointF(6.5, 6), QPointF(8, 3.5), QPointF(12, 3.5), QPointF(13.5, 6)])
    )
    painter.drawEllipse(QPointF(10, 11), 2.9, 2.9)


def _close(painter: QPainter, _ink: QColor) -> None:
    painter.drawLine(QPointF(6, 6), QPointF(14, 14))
    painter.drawLine(QPointF(14, 6), QPointF(6, 14))


def _arrow(painter: QPainter, ink: QColor, left: float, *, back: bool) -> None:
    _fill(painter, ink)
    tip, foot = (left, left + 8) if back else (left + 8, left)
    painter.drawPolygon(QPolygonF([QPointF(foot, 5), QPointF(foot, 15), QPointF(tip, 10)]))


def _step_back(painter: QPainter, ink: QColor) -> None:
    painter.drawLine(QPointF(15, 5.5), QPointF(15, 14.5))
    _arrow(painter, ink, 4, back=True)


def _step_forward(painter: QPainter, ink: QColor) -> None:
    painter.drawLine(QPointF(5, 5.5), QPointF(5, 14.5))
    _arrow(painter, ink, 8, back=False)


def _first(painter: QPainter, ink: QColor) -> None:
    painter.drawLine(QPointF(4, 5.5), QPointF(4, 14.5))
    _arrow(painter, ink, 7, back=True)


def _last(painter: QPainter, ink: QColor) -> None:
    painter.drawLine(QPointF(16, 5.5), QPointF(16, 14.5))
    _arrow(painter, ink, 5, back=False)


def _slower(painter: QPainter, ink: QColor) -> None:
    _arrow(painter, ink, 2, back=True)
    _arrow(painter, ink, 9.5, back=True)


def _faster(painter: QPainter, ink: QColor) -> None:
    _arrow(painter, ink, 2.5, back=False)
    _arrow(painter, ink, 10, back=False)


def _lens(painter: QPainter) -> None:
    painter.drawEllipse(QPointF(8.5, 8.5), 5.5, 5.5)
    painter.drawLine(QPointF(12.7, 12.7), QPointF(17, 17))
    painter.drawLine(QPointF(6, 8.5), QPointF(11, 8.5))


def _zoom_out(painter: QPainter, _ink: QColor) -> None:
    _lens(painter)


def _zoom_in(painter: QPainter, _ink: QColor) -> None:
    _lens(painter)
    painter.drawLine(QPointF(8.5, 6), QPointF(8.5, 11))


def _whole(painter: QPainter, _ink: QColor) -> None:
    for x, inwards in ((3.0, 1), (17.0, -1)):
        painter.drawLine(QPointF(x, 4.5), QPointF(x, 15.5))
        painter.drawLine(QPointF(x + 2 * inwards, 10), QPointF(x + 5.5 * inwards, 10))
        painter.drawPolyline(
            QPolygonF(
                [
                    QPointF(x + 4.5 * inwards, 7.5),
                    QPointF(x + 2 * inwards, 10),
                    QPointF(x + 4.5 * inwards, 12.5),
                ]
            )
        )


def _undo(painter: QPainter, _ink: QColor) -> None:
    path = QPainterPath(QPointF(4, 8))
    path.lineTo(QPointF(11.5, 8))
    path.cubicTo(QPointF(18, 8), QPointF(18, 16), QPointF(11.5, 16))
    path.lineTo(QPointF(7, 16))
    painter.drawPath(path)
    painter.drawPolyline(QPolygonF([QPointF(7.5, 4.5), QPointF(4, 8), QPointF(7.5, 11.5)]))


def _redo(painter: QPainter, ink: QColor) -> None:
    painter.translate(_GRID, 0)
    painter.scale(-1, 1)
    _undo(painter, ink)


def _report(painter: QPainter, _ink: QColor) -> None:
    painter.drawRoundedRect(QRectF(4, 2.5, 12, 15), 1.5, 1.5)
    for y, right in ((6.5, 13.0), (10.0, 13.0), (13.5, 10.5)):
        painter.drawLine(QPointF(7, y), QPointF(right, y))


def _export(painter: QPainter, _ink: QColor) -> None:
    painter.drawLine(QPointF(10, 3), QPointF(10, 11.5))
    painter.drawPolyline(QPolygonF([QPointF(6.5, 8.5), QPointF(10, 12), QPointF(13.5, 8.5)]))
    painter.drawPolyline(
        QPolygonF([QPointF(3.5, 12.5), QPointF(3.5, 16.5), QPointF(16.5, 16.5),
                   QPointF(16.5, 12.5)])
    )  # fmt: skip


def _record(painter: QPainter, _ink: QColor) -> None:
    painter.drawEllipse(QPointF(10, 10), 7.2, 7.2)
    _fill(painter, _RED)
    painter.drawEllipse(QPointF(10, 10), 4.5, 4.5)


def _stop(painter: QPainter, _ink: QColor) -> None:
    painter.drawEllipse(QPointF(10, 10), 7.2, 7.2)
    _fill(painter, _RED)
    painter.drawRoundedRect(QRectF(6.5, 6.5, 7, 7), 1, 1)


def _failed(painter: QPainter, _ink: QColor) -> None:
    painter.drawEllipse(QPointF(10, 10), 7.2, 7.2)
    painter.drawLine(QPointF(10, 6.2), QPointF(10, 10.6))
    painter.drawPoint(QPointF(10, 13.6))


def _mien(painter: QPainter, ink: QColor) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#15181D"))
    painter.drawRoundedRect(QRectF(0, 0, _GRID, _GRID), 4, 4)
    pen = QPen(ink, 1.5)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    _brackets(painter, ink)
    mouth = QPainterPath(QPointF(6.5, 11.5))
    mouth.quadTo(QPointF(10, 15.5), QPointF(13.5, 11.5))
    painter.setPen(QPen(QColor("#F0C000"), 1.6, c=Qt.PenCapStyle.RoundCap))
    painter.drawPath(mouth)
    _fill(painter, QColor("#F0C000"))
    painter.drawEllipse(QPointF(7.5, 8), 1.2, 1.2)
    painter.drawEllipse(QPointF(12.5, 8), 1.2, 1.2)


_DRAW: dict[str, Callable[[QPainter, QColor], None]] = {
    "boxes": _brackets,
    "bars": _bars,
    "landmarks": _landmarks,
    "attention": _attention,
    "mirror": _mirror,
    "pause": _pause,
    "play": _play,
    "snapshot": _snapshot,
    "record": _record,
    "stop": _stop,
    "close": _close,
    "back": _step_back,
    "forward": _step_forward,
    "first": _first,
    "last": _last,
    "slower": _slower,
    "faster": _faster,
    "zoom_in": _zoom_in,
    "zoom_out": _zoom_out,
    "whole": _whole,
    "undo": _undo,
    "redo": _redo,
    "report": _report,
    "export": _export,
}
NAMES: tuple[str, ...] = tuple(_DRAW)
