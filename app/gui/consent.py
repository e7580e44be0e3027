"""The text of consent, all of which is seen before it can be agreed to."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QSizePolicy

from app.gui.keys import KeepSpace
from app.gui.plain import plain_label
from app.gui.theme import BODY_PX, font

_MOST_OF_WINDOW = 0.3


class ConsentText(QScrollArea):
    """Show a text on as many lines as it needs; the usual keys move a long one, Space as well.

    read_changed: whether its end has been seen is another.
    """

    read_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Consent")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setWidgetResizable(True)
        self._label = plain_label()
        self._label.setWordWrap(True)
        self._label.setFont(font(BODY_PX))
        self._label.setContentsMargins(4, 2, 4, 2)
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self.setWidget(self._label)
        self._read = False
        self.installEventFilter(KeepSpace(self))
        bar = self.verticalScrollBar()
        bar.valueChanged.connect(self._look)
        bar.rangeChanged.connect(self._look)

    @property
    def text(self) -> str:
        return self._label.text()

    @property
    def read(self) -> bool:
        """Say whether the end of the text has been in view."""
        return self._read

    @property
    def scrolls(self) -> bool:
        """Say whether there is more of it than can be seen at once."""
        return self._wanted_height() > self._most_height()

    def show_text(self, text: str) -> None:
        """Show another text from its beginning."""
        self._read = False
        self._label.setText(text)
        self._label.setAccessibleName(text)
        self.verticalScrollBar().setValue(0)
        self.show()
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        bar = self.verticalScrollBar()
        if event.key() == Qt.Key.Key_Space:
            bar.setValue(bar.value() + bar.pageStep())
        elif event.key() == Qt.Key.Key_End:
            bar.setValue(bar.maximum())
        else:
            super().keyPressEvent(event)

    def _fit(self) -> None:
        frame = self.height() - self.maximumViewportSize().height()
        self.setFixedHeight(min(self._wanted_height() + frame, self._most_height()))
        self._look()

    def _wanted_height(self) -> int:
        return max(self._label.heightForWidth(max(1, self.viewport().width())), 1)

    def _most_height(self) -> int:
        return max(48, round(_MOST_OF_WINDOW * self.window().height()))

    def _look(self) -> None:
        bar = self.verticalScrollBar()
        # The bar's range follows a layout later than the text.
        whole = self._wanted_height() <= self.viewport().height()
        at_end = bar.value() >= bar.maximum() > 0
        if not self._read and self.isVisible() and (whole or at_end):
            self._read = True
            self.read_changed.emit()
