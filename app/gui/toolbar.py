"""The row of controls above the picture: what plays, what reads it, what is drawn."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import (
    QAction,
    QColor,
    QFontMetrics,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPolygonF,
    QResizeEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QMenu,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QToolButton,
    QWidget,
)

from app.gui.actions import Actions
from app.gui.keys import reach_by_tab
from app.gui.theme import BODY_PX, Theme, font
from app.gui.tool_buttons import Signs, tool_button

_HEIGHT = 40
# Of what is chosen; longer names are cut before shorter ones.
_LEAST_VALUE, _LEAST_WIDTH = 84, 72
_MOST_WIDTH = 300
# The chooser's own padding at the left and the room for the arrow at the right.
_BEFORE, _AFTER = 10, 26
_CAPTION_PX = 11
_MARGIN = 8


class Chooser(QPushButton):
    """Name a choice, its caption above what is chosen, and open its menu."""

    def __init__(self, caption: str, menu: QMenu, theme: Theme, tip: str) -> None:
        super().__init__()
        self._caption = caption
        self._value = ""
        self._theme = theme
        self._tip = tip
        self._menu = menu
        reach_by_tab(self)
        self.setFixedHeight(_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.open_menu)
        self.set_value("")

    @property
    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        """Name what is chosen now."""
        value = value or "…"
        if value != self._value:
            self._value = value
            self.setAccessibleName(f"{self._caption}: {value}")
            self.setToolTip(f"{self._caption}: {value}\n{self._tip}")
            self.updateGeometry()
            self.update()

    def open_menu(self) -> None:
        self._menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def sizeHint(self) -> QSize:
        return QSize(min(_MOST_WIDTH, max(_LEAST_WIDTH, self._needed(self._value))), _HEIGHT)

    def minimumSizeHint(self) -> QSize:
        least = min(self._needed(self._value), _BEFORE + _LEAST_VALUE + _AFTER)
        return QSize(max(_LEAST_WIDTH, least), _HEIGHT)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.open_menu()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        area = self.rect().toRectF().adjusted(_BEFORE, 4, -_AFTER, -4)
        for pixels, ink, text, place in (
            (_CAPTION_PX, tokens.quiet, self._caption, Qt.AlignmentFlag.AlignTop),
            (BODY_PX, tokens.text, self._value, Qt.AlignmentFlag.AlignBottom),
        ):
            painter.setFont(font(pixels))
            painter.setPen(QColor(ink))
            fitting = painter.fontMetrics().elidedText(
                text, Qt.TextElideMode.ElideMiddle, int(area.width())
            )
            painter.drawText(area, Qt.AlignmentFlag.AlignLeft | place, fitting)
        x, y = self.width() - 18.0, self.height() / 2
        painter.setPen(QPen(QColor(tokens.quiet), 1.6, c=Qt.PenCapStyle.RoundCap))
        painter.drawPolyline(
            QPolygonF([QPointF(x - 4, y - 2), QPointF(x, y + 2), QPointF(x + 4, y - 2)])
        )
        painter.end()

    def _needed(self, value: str) -> int:
        """Return the pixels that show all of a value."""
        return _BEFORE + QFontMetrics(font(BODY_PX)).horizontalAdvance(value) + 2 + _AFTER


class Toolbar(QFrame):
    """Hold the choosers, the switches of the overlays, mirror, pause and snapshot."""

    def __init__(
        self, actions: Actions, sources: QMenu, models: QMenu, finders: QMenu, theme: Theme
    ) -> None:
        super().__init__()
        self.setObjectName("toolbar")
        self._theme = theme
        self._actions = actions
        self.source = Chooser("Source", sources, theme, "What plays: camera, file, demo actor…")
        self.model = Chooser("Model", models, theme, "What names the expression")
        self.finder = Chooser("Finder", finders, theme, "What finds the faces")
        self._signs = Signs(theme, self)
        self._switches: list[QToolButton] = []
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_MARGIN, 4, _MARGIN, 4)
        layout.setSpacing(_MARGIN)
        for chooser in (self.source, self.model, self.finder):
            layout.addWidget(chooser)
        layout.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(2)
        for name, action in actions.overlays.items():
            row.addWidget(self._button(action, name, name.capitalize()))
        row.addWidget(self._button(actions.mirror, "mirror", "Mirror"))
        row.addSpacing(6)
        row.addWidget(_separator())
        row.addSpacing(6)
        row.addWidget(self._button(actions.pause, "pause", "Pause"))
        row.addWidget(self._button(actions.snapshot, "snapshot", "Snapshot"))
        row.addWidget(self._button(actions.record, "record", "Record"))
        layout.addLayout(row)
        self._switches_width = row.sizeHint().width()
        actions.pause.toggled.connect(self._show_pause)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        choosers = sum(
            one.sizeHint().width() + _MARGIN for one in (self.source, self.model, self.finder)
        )
        wide = self.width() >= choosers + self._switches_width + 2 * _MARGIN
        beside = Qt.ToolButtonStyle.ToolButtonTextBesideIcon
        style = beside if wide else Qt.ToolButtonStyle.ToolButtonIconOnly
        for button in self._switches:
            if button.toolButtonStyle() != style:
                button.setToolButtonStyle(style)

    def show_recording(self, on: bool) -> None:
        """Say whether a recording goes on, which it does not while consent is asked for."""
        self._signs.show(self._actions.record, "stop" if on else "record")

    def _show_pause(self, paused: bool) -> None:
        self._signs.show(self._actions.pause, "play" if paused else "pause")

    def _button(self, action: QAction, sign: str, words: str) -> QWidget:
        action.setIconText(words)
        self._signs.show(action, sign)
        button = tool_button(action)
        button.setFixedHeight(_HEIGHT)
        button.setMinimumWidth(_HEIGHT)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        button.ensurePolished()
        self._switches.append(button)
        return button


def _separator() -> QFrame:
    line = QFrame()
    line.setObjectName("separator")
    line.setFixedSize(1, 20)
    return line
