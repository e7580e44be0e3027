"""What the window has to say: one banner for the state it is in, short notices over the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QFrame,
    QHBoxLayout,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from app.gui.elided import breakable
from app.gui.icons import SIGN_SIZE, icon
from app.gui.keys import reach_by_tab
from app.gui.plain import plain_label
from app.gui.theme import Theme, restyle

INFO, WARNING, DANGER = "info", "warning", "danger"
_MOST_NOTICES = 3
_SHOWN_SECONDS = {INFO: 5.0, WARNING: 12.0, DANGER: 20.0}
_NOTICE_WIDTH = 560
_FROM_THE_EDGE = 16


@dataclass(frozen=True, slots=True)
class BannerText:
    """Hold what a banner says.

    button: its word, empty for none. closable: whether it may be closed, until it says something
    else.
    """

    text: str
    kind: str = INFO
    button: str = ""
    closable: bool = False


@dataclass(frozen=True, slots=True)
class NoticeAction:
    """Hold what can be done about a notice: the word on its button, and what it does."""

    word: str
    do: Callable[[], object]


def announce(widget: QWidget, text: str) -> None:
    """Have a screen reader say a sentence."""
    QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, text))


class Banner(QFrame):
    """Say in which state the window is, above the picture; hidden while there is nothing to say."""

    def __init__(
        self, pressed: Callable[[str], None], theme: Theme, parent: QWidget | None = None
    ) -> None:
        """Be hidden. pressed: called with the word on the button."""
        super().__init__(parent)
        self._shown: BannerText | None = None
        self._closed: BannerText | None = None
        self.setObjectName("banner")
        self._text = plain_label()
        self._text.setWordWrap(True)
        self._button = QPushButton()
        reach_by_tab(self._button)
        self._button.clicked.connect(lambda: pressed(self._button.text()))
        self._close = _close_button("Close this message", theme)
        self._close.clicked.connect(self.close_up)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(12)
        layout.addWidget(self._text, 1)
        layout.addWidget(self._button)
        layout.addWidget(self._close)
        self.hide()

    @property
    def text(self) -> str:
        """Return what is said now, empty while hidden."""
        return self._shown.text if self._shown else ""

    @property
    def button(self) -> QPushButton:
        return self._button

    @property
    def close_button(self) -> QToolButton:
        return self._close

    def close_up(self) -> None:
        """Hide what is said now, until something else is to be said."""
        self._closed = self._shown
        self.say(self._closed)

    def say(self, shown: BannerText | None) -> None:
        """Say something else; None hides the banner."""
        if shown != self._closed:
            self._closed = None
        elif shown is not None:
            shown = None
        if shown == self._shown:
            return
        before, self._shown = self._shown, shown
        self.setVisible(shown is not None)
        if shown is None:
            return
        self._text.setText(breakable(shown.text))
        self._button.setText(shown.button)
        self._button.setVisible(bool(shown.button))
        self._close.setVisible(shown.closable)
        self._button.setAccessibleDescription(shown.text)
        if before is None or before.kind != shown.kind:
            restyle(self, "kind", shown.kind)
            announce(self, shown.text)


class Notices(QWidget):
    """Stack short notices at the head of another widget; each goes by itself or when closed.

    At the head, since at its foot they would cover what a face does with its mouth.
    """

    def __init__(self, theme: Theme, over: QWidget) -> None:
        super().__init__(over)
        self._over = over
        self._theme = theme
        self._entries: list[_Notice] = []
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(8)
        over.installEventFilter(self)
        self.hide()

    @property
    def texts(self) -> list[str]:
        """Return the sentences that are shown, oldest first."""
        return [entry.text for entry in self._entries]

    def say(self, text: str, kind: str = INFO, action: NoticeAction | None = None) -> None:
        """Show a notice; the same one again only begins its time anew."""
        if text.startswith("expected "):  # as on the command line, where "error:" stands before it
            text = text[0].upper() + text[1:]
        for entry in self._entries:
            if entry.text == text:
                entry.left = _SHOWN_SECONDS[kind]
                return
        entry = _Notice(text, kind, self._theme, self._close, action)
        entry.left = _SHOWN_SECONDS[kind]
        self._entries.append(entry)
        self._layout.addWidget(entry)
        entry.show()
        if len(self._entries) > _MOST_NOTICES:
            self._close(self._entries[0])
        announce(self, text)
        self._place()

    def move_over(self, over: QWidget) -> None:
        """Lie over another widget from now on."""
        if over is not self._over:
            self._over.removeEventFilter(self)
            self._over = over
            self.setParent(over)
            over.installEventFilter(self)
            self._place()

    def advance(self, seconds: float) -> None:
        """Let so much time pass; a notice under the mouse or with the focus stays."""
        for entry in list(self._entries):
            if not entry.held:
                entry.left -= seconds
                if entry.left <= 0:
                    self._close(entry)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self._place()
        return super().eventFilter(watched, event)

    def _close(self, entry: _Notice) -> None:
        if entry in self._entries:
            self._entries.remove(entry)
            self._layout.removeWidget(entry)
            entry.hide()
            entry.deleteLater()
            self._place()

    def _place(self) -> None:
        over = self._over
        self.setVisible(bool(self._entries))
        width = min(_NOTICE_WIDTH, over.width() - 2 * _FROM_THE_EDGE)
        height = self._layout.heightForWidth(width)
        self.setGeometry((over.width() - width) // 2, _FROM_THE_EDGE, width, height)
        self.raise_()


class _Notice(QFrame):
    def __init__(
        self,
        text: str,
        kind: str,
        theme: Theme,
        close: Callable[[_Notice], None],
        action: NoticeAction | None,
    ) -> None:
        super().__init__()
        self.text = text
        self.left = 0.0
        self.setObjectName("toast")
        self.setProperty("kind", kind)
        label = plain_label(breakable(text))
        label.setWordWrap(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.addWidget(label, 1)
        self._buttons: list[QAbstractButton] = []
        if action is not None:
            button = QPushButton(action.word)
            reach_by_tab(button)
            button.setAccessibleDescription(text)
            button.clicked.connect(lambda: action.do())
            self._buttons.append(button)
        closing = _close_button("Close this notice", theme)
        closing.clicked.connect(lambda: close(self))
        self._buttons.append(closing)
        for each in self._buttons:
            layout.addWidget(each, 0, Qt.AlignmentFlag.AlignTop)

    @property
    def held(self) -> bool:
        """Say whether somebody is at it."""
        return self.underMouse() or any(button.hasFocus() for button in self._buttons)


def _close_button(words: str, theme: Theme) -> QToolButton:
    button = QToolButton()
    button.setIcon(icon("close", theme.tokens))
    button.setIconSize(SIGN_SIZE)
    button.setToolTip(words)
    button.setAccessibleName(words)
    reach_by_tab(button)
    return button
