"""What an interval says of each label: its share, how sure that is, its mean probability."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from app.gui.theme import BODY_PX, SMALL_PX, Theme, font, label_colour
from app.palette import UNSURE, display_order
from app.review.recording import Recording
from app.review.statistics import LabelShare, Summary
from app.review.words import lasting
from app.words import amount, per_cent

_ROW, _TEXT, _HEAD = 28, 18, 34
_COLUMNS = (46, 52, 74)
_DASH = "\N{EN DASH}"
_TIPS = (
    "The share of the frames with this face on which this label is shown; the bar shows it, too",
    "95 % interval, the whisker on the bar: the range in which the share would lie in the long "
    "run, if all went on in the same way",
    "The mean of the label's probability over all frames with this face",
)


class ShareTable(QWidget):
    """Draw a row for each label: its share with its likely range, and its mean probability."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._rows: list[LabelShare] = []
        self._tips: list[str] = []
        self._heads = ("", "", "")
        self._empty = True
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Share of each label")
        theme.changed.connect(self.update)

    @property
    def rows(self) -> list[LabelShare]:
        return self._rows

    def show_summary(self, summary: Summary, recording: Recording) -> None:
        """Show the labels of a summary in the order of the bars, unsure last."""
        self._empty = not summary.rows
        by_label = {row.label: row for row in summary.labels}
        self._rows = [by_label[label] for label in display_order(by_label)]
        if summary.unsure is not None:
            self._rows.append(summary.unsure)
        shown = "images shown" if recording.of_images else "time shown"
        self._heads = (shown, "likely range", "mean probability")
        self._tips = [_tip(row, recording) for row in self._rows]
        said = [f"{row.label} {per_cent(row.share)}, {_range(row)}" for row in self._rows]
        self.setAccessibleDescription("; ".join(one.removesuffix(", ") for one in said))
        self.updateGeometry()
        self.update()

    def tip_at(self, point: QPoint) -> str:
        """Return what the head of a column means, or what more is known of a row."""
        if point.y() >= _HEAD:
            place = (point.y() - _HEAD) // _ROW
            return self._tips[place] if place < len(self._tips) else ""
        for (left, width), tip in zip(self._columns(), _TIPS, strict=True):
            if left <= point.x() < left + width:
                return tip
        return ""

    def sizeHint(self) -> QSize:
        return QSize(240, _HEAD + max(1, len(self._rows)) * _ROW)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.tip_at(event.pos()), self)
            return True
        return super().event(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(self._theme.tokens.quiet))
        foot = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignRight
        for (left, width), words in zip(self._columns(), self._heads, strict=True):
            head = QRectF(left, 0, width, _HEAD - 2)
            painter.drawText(head, foot | Qt.TextFlag.TextWordWrap, words)
        for place, row in enumerate(self._rows):
            self._paint_row(painter, QRectF(0, _HEAD + place * _ROW, self.width(), _ROW), row)
        painter.end()

    def _columns(self) -> list[tuple[float, float]]:
        """Return left and width of share, range and mean; they end at the right edge."""
        lefts = [self.width() - sum(_COLUMNS[place:]) for place in range(len(_COLUMNS))]
        return list(zip(lefts, _COLUMNS, strict=True))

    def _paint_row(self, painter: QPainter, area: QRectF, row: LabelShare) -> None:
        tokens = self._theme.tokens
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setFont(font(BODY_PX))
        painter.setPen(QColor(tokens.text if row.share else tokens.quiet))
        painter.drawText(QRectF(0, area.top(), area.width(), _TEXT), middle, row.label)
        mean = per_cent(row.mean) if row.label != UNSURE and not self._empty else ""
        share = _DASH if self._empty else per_cent(row.share)
        for (left, width), words in zip(self._columns(), (share, _range(row), mean), strict=True):
            cell = QRectF(left, area.top(), width, _TEXT)
            painter.drawText(cell, middle | Qt.AlignmentFlag.AlignRight, words)
            painter.setFont(font(SMALL_PX))
            painter.setPen(QColor(tokens.quiet))
        self._paint_bar(painter, QRectF(0, area.top() + _TEXT + 1, area.width(), 5), row)

    def _paint_bar(self, painter: QPainter, bar: QRectF, row: LabelShare) -> None:
        tokens = self._theme.tokens
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(bar, 2.5, 2.5)
        filled = QRectF(bar.left(), bar.top(), bar.width() * row.share, bar.height())
        if row.label == UNSURE:
            painter.setPen(QPen(QColor(tokens.quiet), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
        else:
            painter.setBrush(label_colour(row.label, tokens))
        painter.drawRoundedRect(filled, 2.5, 2.5)
        if row.low is not None and row.high is not None:
            painter.setPen(QPen(QColor(tokens.text), 1.4))
            y = bar.center().y()
            low, high = (bar.left() + bar.width() * value for value in (row.low, row.high))
            painter.drawLine(QPointF(low, y), QPointF(high, y))
            for x in (low, high):
                painter.drawLine(QPointF(x, y - 4), QPointF(x, y + 4))


def _range(row: LabelShare) -> str:
    if row.low is None or row.high is None:
        return ""
    return f"{100 * row.low:.0f}{_DASH}{100 * row.high:.0f} %"


def _tip(row: LabelShare, recording: Recording) -> str:
    longest = lasting(recording, row.longest)
    words = f"{row.label}: {amount(row.episodes, 'time')}, the longest {longest}"
    if row.label != UNSURE:
        words += f"; mean probability {per_cent(row.mean)} ± {per_cent(row.deviation)}"
    return words
