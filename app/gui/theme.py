"""The window's colours, type and style sheet, dark and light, switched while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from app.palette import colour

_HERE = Path(__file__).parent
BODY_PX = 13
HEAD_PX = 15
SMALL_PX = 12


@dataclass(frozen=True, slots=True)
class Tokens:
    """Name every colour of one theme as #RRGGBB.

    stage: around the picture. text and quiet are readable (4.5:1) on background, surface and
    raised; warning and danger mark an edge or a sign, never text. edge: round a field, 3:1 on the
    same grounds. tint: below the text of a switch that is on, which accent underlines.
    """

    light: bool
    stage: str
    background: str
    surface: str
    raised: str
    line: str
    edge: str
    tint: str
    text: str
    quiet: str
    accent: str
    on_accent: str
    warning: str
    danger: str


DARK = Tokens(
    light=False,
    stage="#0F1216",
    background="#15181D",
    surface="#1D2229",
    raised="#262C35",
    line="#343C47",
    edge="#6F7A89",
    tint="#1E2D41",
    text="#E8EBEF",
    quiet="#9AA4B1",
    accent="#4C9AFF",
    on_accent="#0B1220",
    warning="#F0B429",
    danger="#FF6B61",
)
LIGHT = Tokens(
    light=True,
    stage="#E3E7EC",
    background="#F6F7F9",
    surface="#FFFFFF",
    raised="#EEF1F5",
    line="#D5DAE1",
    edge="#7F8894",
    tint="#DCE7F7",
    text="#1B1F24",
    quiet="#5B6571",
    accent="#1F6FEB",
    on_accent="#FFFFFF",
    warning="#9A6700",
    danger="#C62828",
)


def font(pixels: int = BODY_PX, *, bold: bool = False) -> QFont:
    """Return the system's font with digits of equal width, so that numbers stay in place."""
    return QFont(_font(pixels, bold))  # a copy: some are struck out


@cache
def _font(pixels: int, bold: bool) -> QFont:
    chosen = QFont(QApplication.font())
    chosen.setPixelSize(pixels)
    chosen.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
    chosen.setFeature(QFont.Tag("tnum"), 1)
    return chosen


def label_colour(label: str, tokens: Tokens) -> QColor:
    """Return the colour of an expression that shows on this theme."""
    return QColor(colour(label, light=tokens.light))


def restyle(widget: QWidget, name: str, value: bool | str) -> None:
    """Set a property that the style sheet asks for, and dress the widget anew where it changed.

    Without that Qt shows the change only with the next theme.
    """
    if widget.property(name) != value:
        widget.setProperty(name, value)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


class Theme(QObject):
    """Hold the theme chosen ("system", "dark", "light") and dress the application in it.

    changed: the tokens are others now; widgets that paint themselves repaint.
    """

    changed = Signal()

    def __init__(self, application: QApplication, choice: str = "system") -> None:
        super().__init__()
        self._application = application
        self._choice = choice
        self._tokens: Tokens | None = None
        application.setStyle("Fusion")
        application.setFont(font())
        application.styleHints().colorSchemeChanged.connect(self._follow_system)
        self.choose(choice)

    @property
    def choice(self) -> str:
        return self._choice

    @property
    def tokens(self) -> Tokens:
        assert self._tokens is not None
        return self._tokens

    def choose(self, choice: str) -> None:
        """Switch to "system", "dark" or "light"."""
        self._choice = choice
        hints = self._application.styleHints()
        # Title bars and the system's own dialogs go along.
        if choice == "system":
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(Qt.ColorScheme.Light if choice == "light" else Qt.ColorScheme.Dark)
        self._dress()

    def _follow_system(self) -> None:
        if self._choice == "system":
            self._dress()

    def _dress(self) -> None:
        system_is_light = self._application.styleHints().colorScheme() == Qt.ColorScheme.Light
        light = self._choice == "light" or (self._choice == "system" and system_is_light)
        tokens = LIGHT if light else DARK
        if tokens is self._tokens:
            return
        self._tokens = tokens
        self._application.setPalette(_palette(tokens))
        self._application.setStyleSheet(_style_sheet(tokens))
        self.changed.emit()


def _palette(tokens: Tokens) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for name, value in (
        (role.Window, tokens.background),
        (role.WindowText, tokens.text),
        (role.Base, tokens.surface),
        (role.AlternateBase, tokens.raised),
        (role.Text, tokens.text),
        (role.PlaceholderText, tokens.quiet),
        (role.Button, tokens.raised),
        (role.ButtonText, tokens.text),
        (role.ToolTipBase, tokens.raised),
        (role.ToolTipText, tokens.text),
        (role.Highlight, tokens.accent),
        (role.HighlightedText, tokens.on_accent),
        (role.Accent, tokens.accent),
        (role.Link, tokens.accent),
        (role.LinkVisited, tokens.accent),
        (role.Light, tokens.line),
        (role.Midlight, tokens.line),
        (role.Mid, tokens.line),
        (role.Dark, tokens.line),
    ):
        palette.setColor(name, QColor(value))
    for name in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, name, QColor(tokens.quiet))
    return palette


def _style_sheet(tokens: Tokens) -> str:
    arrow = _HERE / f"arrow_{'light' if tokens.light else 'dark'}.svg"
    # Qt takes slashes on every system.
    sheet = _SHEET.replace("@arrow;", arrow.as_posix())
    for name in (
        "stage", "background", "surface", "raised", "line", "edge", "tint", "text", "quiet",
        "on_accent", "accent", "warning", "danger",
    ):  # fmt: skip
        sheet = sheet.replace(f"@{name};", f"{getattr(tokens, name)};")
    return sheet


# Borders are 2 px everywhere, or the padding is less by what a field's border grows, so that a
# focus ring moves nothing. What is told of the buttons of one part says less than `primary`.
_SHEET = """
QMainWindow, QDialog { background: @background; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QMenuBar { background: @background; color: @text; padding: 2px 8px; }
QMenuBar::item { background: transparent; padding: 7px 8px; border-radius: 4px; }
QMenuBar::item:selected { background: @raised; }
QMenu { background: @surface; color: @text; border: 1px solid @line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 8px; border-radius: 4px; }
QMenu::item:selected { background: @raised; }
QMenu::item:disabled { color: @quiet; }
QMenu::separator { height: 1px; background: @line; margin: 4px 8px; }
QMenu::indicator { width: 14px; height: 14px; margin-left: 6px; }
QMenu::icon { margin-left: 6px; }
QToolTip { background: @raised; color: @text; border: 1px solid @line; padding: 4px 6px; }
QFrame#separator { background: @line; border: none; }
QFrame#workspaces QToolButton { color: @quiet; padding: 3px 10px; }
QFrame#workspaces QToolButton:checked {
    background: transparent; color: @text; font-weight: 600; border-color: transparent;
    border-bottom-color: @accent;
}
QFrame#toolbar { background: @background; border-bottom: 1px solid @line; }
QStatusBar { background: @background; color: @quiet; border-top: 1px solid @line; }
QStatusBar::item { border: none; }
QStatusBar QLabel { color: @quiet; padding: 2px 0; }
QPushButton, QToolButton {
    background: @raised; color: @text; border: 2px solid @raised; border-radius: 6px;
    padding: 5px 12px; outline: none;
}
QToolButton { background: transparent; border-color: transparent; padding: 4px 6px; }
QPushButton:hover, QToolButton:hover { background: @line; border-color: @line; }
QToolButton:checked {
    background: @tint; border-color: @tint; border-bottom-color: @accent;
    border-bottom-left-radius: 0; border-bottom-right-radius: 0;
}
QToolButton:checked:hover { background: @line; }
QPushButton:focus, QToolButton:focus { border-color: @accent; }
QPushButton:disabled, QToolButton:disabled { color: @quiet; }
QFrame#banner { background: @raised; border: none; border-left: 4px solid @accent; }
QFrame#banner[kind="warning"] { border-left-color: @warning; }
QFrame#banner[kind="danger"] { border-left-color: @danger; }
QFrame#banner QPushButton { background: @surface; border-color: @line; }
QFrame#banner QPushButton:hover { background: @line; }
QFrame#banner QPushButton:focus { border-color: @accent; }
QFrame#toast {
    background: @raised; border: 1px solid @line; border-left: 4px solid @accent;
    border-radius: 4px;
}
QFrame#toast[kind="warning"] { border-left-color: @warning; }
QFrame#recording { background: @raised; border: none; border-bottom: 1px solid @line; }
QFrame#recording[on="true"] { border-bottom: 2px solid @danger; }
QFrame#recording QPushButton { background: @surface; border-color: @line; }
QFrame#recording QPushButton:hover { background: @line; }
QFrame#recording QPushButton:focus { border-color: @accent; }
QFrame#recording QLineEdit, QFrame#recording QComboBox, QFrame#recording QPlainTextEdit {
    background: @surface; border: 1px solid @edge; border-radius: 6px; padding: 5px 9px;
}
QFrame#recording QLineEdit:disabled, QFrame#recording QComboBox:disabled,
QFrame#recording QPlainTextEdit:disabled { border-color: @line; color: @quiet; }
QFrame#recording QLineEdit:focus, QFrame#recording QComboBox:focus,
QFrame#recording QPlainTextEdit:focus { border: 2px solid @accent; padding: 4px 8px; }
QFrame#recording QSpinBox, QFrame#recording QDoubleSpinBox { background: @surface; }
QFrame#recording QScrollArea:focus { border-color: @accent; }
QFrame#recording QScrollArea { border: 2px solid transparent; border-radius: 6px; }
QFrame#recording QScrollArea#rows { border: none; }
QFrame#recording QScrollArea > QWidget, QFrame#recording QScrollArea > QWidget > QWidget {
    background: transparent;
}
QPushButton[primary="true"], QFrame#recording QPushButton[primary="true"] {
    background: @accent; color: @on_accent; border-color: @accent; font-weight: 600;
}
QPushButton[primary="true"]:hover, QFrame#recording QPushButton[primary="true"]:hover {
    background: @accent; border-color: @edge;
}
QPushButton[primary="true"]:focus, QFrame#recording QPushButton[primary="true"]:focus {
    border-color: @text;
}
QPushButton[primary="true"]:disabled, QFrame#recording QPushButton[primary="true"]:disabled {
    background: @raised; color: @quiet; border-color: @line;
}
QFrame#side, QFrame#chart { background: @background; border: none; }
QScrollArea, QScrollArea > QWidget > QWidget#cards { background: transparent; border: none; }
QScrollArea#page { border: 2px solid transparent; border-radius: 6px; }
QScrollArea#page:focus { border-color: @accent; }
QLabel[quiet="true"] { color: @quiet; }
QLabel[problem="true"] { border: none; border-left: 4px solid @warning; padding-left: 8px; }
QSplitter::handle { background: @line; }
QSplitter::handle:hover { background: @accent; }
QFrame#transport { background: @background; border-top: 1px solid @line; }
QFrame#transport QToolButton { padding: 4px; }
QFrame#side QToolButton[tab="true"] { padding: 4px 6px; font-size: 12px; color: @quiet; }
QFrame#side QToolButton[tab="true"]:checked { color: @text; }
QFrame#side QPushButton[narrow="true"] { padding: 5px 6px; }
QListWidget, QTableWidget {
    background: @background; color: @text; border: none; outline: none; border-radius: 6px;
}
QListWidget:focus, QTableWidget:focus { border: 1px solid @accent; }
QListWidget::item { padding: 4px 6px; border-radius: 4px; }
QTableWidget::item { padding: 0 6px; }
QListWidget::item:selected, QTableWidget::item:selected { background: @raised; color: @text; }
QHeaderView::section {
    background: @background; color: @quiet; border: none; border-bottom: 1px solid @line;
    padding: 4px 6px;
}
QComboBox {
    background: @raised; color: @text; border: 1px solid @edge; border-radius: 6px;
    padding: 5px 9px;
}
QComboBox:focus { border: 2px solid @accent; padding: 4px 8px; }
QComboBox:disabled { border-color: @line; }
QComboBox:disabled { color: @quiet; }
QComboBox::drop-down { border: none; width: 28px; }
QComboBox::down-arrow { image: url("@arrow;"); width: 12px; height: 8px; }
QComboBox QAbstractItemView {
    background: @surface; color: @text; border: 1px solid @line; outline: none;
    selection-background-color: @raised; selection-color: @text;
}
QComboBox QAbstractItemView::item { padding: 3px 6px; }
QComboBox QAbstractItemView::item:selected { background: @raised; color: @text; }
QLineEdit {
    background: @surface; color: @text; border: 1px solid @edge; border-radius: 4px;
    padding: 2px 4px; placeholder-text-color: @quiet;
}
QLineEdit:focus { border-color: @accent; }
QDialog QLineEdit { border-radius: 6px; padding: 5px 9px; }
QDialog QLineEdit:focus { border: 2px solid @accent; padding: 4px 8px; }
QProgressBar {
    background: @raised; color: @text; border: none; border-radius: 6px; text-align: center;
    min-height: 18px;
}
QProgressBar::chunk { background: @accent; border-radius: 6px; }
QProgressBar#thin { min-height: 6px; max-height: 6px; border-radius: 3px; }
QProgressBar#thin::chunk { border-radius: 3px; }
QTableView#queue {
    background: @background; color: @text; border: 2px solid @background; border-radius: 6px;
    outline: none; selection-background-color: @raised; selection-color: @text;
}
QTableView#queue:focus { border-color: @accent; }
QTableView#queue::item { padding: 0 6px; border: none; }
QTableView#queue::item:selected { background: @raised; }
QSpinBox, QDoubleSpinBox {
    background: @raised; color: @text; border: 1px solid @edge; border-radius: 6px;
    padding: 5px 9px;
}
QSpinBox:focus, QDoubleSpinBox:focus { border: 2px solid @accent; padding: 4px 8px; }
QSpinBox::up-button, QSpinBox::down-button,
QDoubleSpinBox::up-button, QDoubleSpinBox::down-button {
    background: transparent; border: none; width: 28px; subcontrol-origin: border;
}
QSpinBox::up-button, QDoubleSpinBox::up-button { subcontrol-position: top right; }
QSpinBox::down-button, QDoubleSpinBox::down-button { subcontrol-position: bottom right; }
QSpinBox::up-arrow, QSpinBox::down-arrow,
QDoubleSpinBox::up-arrow, QDoubleSpinBox::down-arrow { image: none; width: 0; height: 0; }
QSpinBox:disabled { color: @quiet; border-color: @line; }
QCheckBox {
    color: @text; spacing: 8px; padding: 2px 4px; border: 2px solid transparent; border-radius: 6px;
    outline: none;
}
QCheckBox:disabled { color: @quiet; }
QCheckBox[ticks="true"]::indicator {
    width: 14px; height: 14px; background: @surface; border: 2px solid @quiet; border-radius: 4px;
}
QCheckBox[ticks="true"]::indicator:checked { background: @accent; border-color: @accent; }
QCheckBox:focus { border-color: @accent; }
QScrollArea#analyseOptions, QWidget#analyseInside { background: @background; border: none; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar::handle { background: @line; border-radius: 3px; margin: 2px; }
QScrollBar::handle:hover { background: @quiet; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QTextBrowser { background: @surface; color: @text; border: 1px solid @line; border-radius: 6px; }
QTextBrowser:focus { border-color: @accent; }
"""
