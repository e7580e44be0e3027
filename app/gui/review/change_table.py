"""The share of each label in two readings, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.gui.theme import BODY_PX, SMALL_PX, Theme, font, label_colour
from app.review.compare import LabelChange
from app.words import per_cent

_ROW, _HEAD = 22, 50
_LABEL, _CHANGE, _GAP = 86, 54, 8
_ROOMY = 270


class ChangeTable(QWidget):
    """Draw for each label its share in both readings."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._changes: Sequence[LabelChange] = ()
        self._names = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Change of each label")
        theme.changed.connect(self.update)

    def show_changes(self, changes: Sequence[LabelChange], first: str, second: str) -> None:
        """Show shares. first, second: the names of the models."""
        self._changes = changes
        self._names = (first, second)
        said = [f"{one.label} {_share(one.first)} and {_share(one.second)}" for one in changes]
        self.setAccessibleDescription("; ".join(said))
        self.setToolTip(
            f"Share of the frames in which each label is shown.\nRecorded: {first}\nRead again: "
            f"{second}"
        )
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, _HEAD + len(self._changes) * _ROW)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        columns = self._columns()
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        foot = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight
        for (left, width), words in zip(columns, (*self._names, "change"), strict=False):
            painter.drawText(
                QRectF(left, 0, width, _HEAD - 4), foot | Qt.TextFlag.TextWordWrap, words
            )
        painter.setFont(font(BODY_PX))
        for place, one in enumerate(self._changes):
            top = _HEAD + place * _ROW
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(label_colour(one.label, tokens))
            painter.drawRoundedRect(QRectF(0, top + 6, 10, 10), 2, 2)
            painter.setPen(QColor(tokens.text))
            painter.drawText(QRectF(16, top, 90, _ROW), Qt.AlignmentFlag.AlignVCenter, one.label)
            change = ""
            if one.first is not None and one.second is not None:
                change = f"{100 * (one.second - one.first):+.1f}".replace("-", "\N{MINUS SIGN}")
            for (left, width), words in zip(
                columns, (_share(one.first), _share(one.second), change), strict=False
            ):
                painter.drawText(QRectF(left, top, width, _ROW), right, words)
        painter.end()

    def _columns(self) -> list[tuple[float, float]]:
        """Return left and width of the columns; without the change where there is no room."""
        change = _CHANGE if self.width() >= _ROOMY else 0
        width = (self.width() - _LABEL - change) / 2 - _GAP
        places = [(_LABEL + _GAP, width), (_LABEL + width + 2 * _GAP, width)]
        return [*places, (self.width() - change, change)] if change else places


def _share(share: float | None) -> str:
    return "\N{EN DASH}" if share is None else per_cent(share)
