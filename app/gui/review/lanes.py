"""One lane a face: when it is in the picture, and which label is decided."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QMouseEvent, QPainter

from app.gui.review.model import ReviewModel
from app.gui.review.strips import GUTTER, RIGHT, TimeStrip, draw_ribbon
from app.gui.theme import SMALL_PX, Theme, font
from app.review.decimate import ribbon
from app.review.edited import FaceEntry

LANE = 24
_RIBBON = 14


class Lanes(TimeStrip):
    """Show a ribbon of labels for each face; a click chooses the face."""

    def __init__(self, model: ReviewModel, theme: Theme) -> None:
        super().__init__(model, theme, "Faces over time")
        for signal in (model.opened, model.changed, model.compared, model.chosen):
            signal.connect(self._fit)
        self._fit()

    def sizeHint(self) -> QSize:
        return QSize(640, LANE * max(1, len(self.lanes())))

    def part(self) -> QRect:
        # Hundreds of lanes would make a picture larger than some screens can hold.
        seen = self.visibleRegion().boundingRect()
        return seen if not seen.isEmpty() else self.rect().intersected(QRect(0, 0, 9999, 12 * LANE))

    def lanes(self) -> list[tuple[FaceEntry, bool]]:
        """Return what each lane shows: a face, and whether as the second reading has it."""
        if not self.model.is_open:
            return []
        shown: list[tuple[FaceEntry, bool]] = []
        for face in self.model.state.faces:
            shown.append((face, False))
            if face.number == self.model.face and self.model.second is not None:
                shown.append((face, True))
        return shown

    def place_of(self, face: int) -> int:
        """Return how far below the top a face's lane begins, in pixels."""
        numbers = [entry.number for entry, second in self.lanes() if not second]
        return LANE * numbers.index(face) if face in numbers else 0

    def paint_content(self, painter: QPainter, size: QSizeF) -> None:
        part = self.part()
        first, last = part.top() // LANE, part.bottom() // LANE + 1
        for place, (face, second) in enumerate(self.lanes()[first:last], start=first):
            area = QRectF(0, place * LANE, size.width(), LANE)
            self._paint_name(painter, area, face, second=second)
            band = QRectF(
                GUTTER, area.top() + (LANE - _RIBBON) / 2, self.columns(size.width()), _RIBBON
            )
            labels = self.model.recording.labels
            if second:
                assert self.model.second is not None
                labels = self.model.second.labels
            codes = self.codes(face.number, round(band.width()), second=second)
            draw_ribbon(painter, codes, labels, band, self.tokens)

    def codes(self, face: int, columns: int, *, second: bool) -> NDArray[np.int16]:
        """Return the labels of a face along so many pixels of the part in view.

        What the second model could not read, as without a picture, is shown as away.
        """
        part = self.model.series(face)
        times, until = part.times, self.model.recording.shown_until(part.frames)
        decided, labels = part.decided, part.labels
        if second:
            assert self.model.second is not None
            read = self.model.second.read[part.rows]
            times, until = times[read], until[read]
            decided, labels = self.model.second.decided[part.rows[read]], self.model.second.labels
        start, end = self.span()
        return ribbon(times, until, decided, len(labels), start, end, columns)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._choose(event.position())
        super().mousePressEvent(event)

    def _choose(self, point: QPointF) -> None:
        lanes = self.lanes()
        place = int(point.y() // LANE)
        if 0 <= place < len(lanes):
            self.model.choose(lanes[place][0].number)

    def _paint_name(
        self, painter: QPainter, area: QRectF, face: FaceEntry, *, second: bool
    ) -> None:
        chosen = face.number == self.model.face
        if chosen:
            painter.fillRect(area.adjusted(0, 0, -RIGHT, 0), QColor(self.tokens.surface))
            painter.fillRect(QRectF(0, area.top(), 3, LANE), QColor(self.tokens.accent))
        text_font = font(SMALL_PX, bold=chosen and not second)
        text_font.setStrikeOut(face.excluded)
        painter.setFont(text_font)
        painter.setPen(QColor(self.tokens.text if chosen else self.tokens.quiet))
        title = face.title
        if second:
            title = self.model.second_title
        place = area.adjusted(12, 0, 0, 0)
        place.setWidth(GUTTER - 20)
        middle = Qt.TextElideMode.ElideMiddle if second else Qt.TextElideMode.ElideRight
        text = painter.fontMetrics().elidedText(title, middle, int(place.width()))
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)

    def _fit(self) -> None:
        self.setFixedHeight(self.sizeHint().height())
