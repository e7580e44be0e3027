"""What the review workspace shows while no session is open: what to do, or how far it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.keys import reach_by_tab, without_key
from app.gui.menus import recent_names
from app.gui.plain import plain_label, plain_tip
from app.gui.review.actions import ReviewActions
from app.gui.theme import HEAD_PX, font

_MOST_RECENT = 5
_TEXT = (
    "Open the folder of a recording to look through it: every frame, every face, markers, "
    "statistics and a report. A video or an image is analysed first. Or drop any of them here."
)


class EmptyPage(QWidget):
    """Offer to open something, and show how far an analysis is."""

    def __init__(self, actions: ReviewActions, pick: Callable[[str], None]) -> None:
        """Take the actions. pick: called with the folder of a recent session."""
        super().__init__()
        self._pick = pick
        self._title = plain_label("No session is open")
        self._title.setFont(font(HEAD_PX + 3, bold=True))
        self._text = QLabel(_TEXT)
        self._text.setWordWrap(True)
        self._text.setProperty("quiet", True)
        self._open = QPushButton("Open session…")
        self._open.setProperty("primary", True)
        self._open.setToolTip(actions.open_session.toolTip())
        self._open.clicked.connect(actions.open_session.trigger)
        open_media = QPushButton("Analyse video or image…")
        open_media.setToolTip(actions.open_media.toolTip())
        open_media.clicked.connect(actions.open_media.trigger)
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 8, 0, 8)
        for button in (self._open, open_media):
            reach_by_tab(button)
            row.addWidget(button)
        row.addStretch(1)
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the analysis")
        self.progress.setRange(0, 1000)
        self._said = plain_label()
        self._said.setProperty("quiet", True)
        self.cancel = QPushButton("Stop")
        reach_by_tab(self.cancel)
        self._recent_title = QLabel("Recent sessions")
        self._recent_title.setFont(font(HEAD_PX, bold=True))
        self._recent = QVBoxLayout()
        self._recent.setSpacing(2)
        self._build()
        self.show_progress(None, "", "")
        self.set_recent(())

    def take_focus(self) -> None:
        """Give the focus to what is most likely wanted: to open something, or to stop."""
        (self._open if self.cancel.isHidden() else self.cancel).setFocus()

    def show_progress(self, share: float | None, title: str, said: str) -> None:
        """Show how far something is; share: 0 to 1, negative while unknown, None for nothing."""
        busy = share is not None
        for widget in (self.progress, self._said, self.cancel):
            widget.setVisible(busy)
        self._buttons.setVisible(not busy)
        self._text.setVisible(not busy)
        self._title.setText(title if busy else "No session is open")
        self._said.setText(said)
        if share is not None:
            self.progress.setRange(0, 0 if share < 0 else 1000)
            self.progress.setValue(round(1000 * max(0.0, share)))

    def set_recent(self, folders: Sequence[str]) -> None:
        """List sessions that were opened before."""
        while (item := self._recent.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.deleteLater()
        self._recent_title.setVisible(bool(folders))
        shown = folders[:_MOST_RECENT]
        for folder, name in zip(shown, recent_names(shown), strict=True):
            button = QPushButton(without_key(name))
            button.setFlat(True)
            button.setStyleSheet("text-align: left;")
            button.setToolTip(plain_tip(folder))
            button.setAccessibleName(f"Open session {folder}")
            reach_by_tab(button)
            button.clicked.connect(lambda _checked=False, folder=folder: self._pick(folder))
            self._recent.addWidget(button)

    def _build(self) -> None:
        inside = QWidget()
        inside.setMaximumWidth(520)
        column = QVBoxLayout(inside)
        column.setSpacing(8)
        for widget in (self._title, self._text, self._buttons, self.progress, self._said):
            column.addWidget(widget)
        column.addWidget(self.cancel, 0, Qt.AlignmentFlag.AlignLeft)
        column.addSpacing(8)
        column.addWidget(self._recent_title)
        column.addLayout(self._recent)
        outside = QVBoxLayout(self)
        outside.addStretch(2)
        centred = QHBoxLayout()
        centred.addStretch(1)
        centred.addWidget(inside, 8)
        centred.addStretch(1)
        outside.addLayout(centred)
        outside.addStretch(3)
