"""What is set before a study begins: a small panel above the picture that stops nothing."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QScreen
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from app.gui import dialogs
from app.gui.drawer import Drawer
from app.gui.elided import breakable
from app.gui.keys import KeepSpace
from app.gui.place_row import PlaceRow
from app.gui.plain import plain_label
from app.study.protocol import Protocol
from app.study.words import words_of

_NO_FILE = "none chosen"
_HINT = (
    "A study shows somebody pictures, films and questions on a whole screen and records their face "
    "meanwhile. Its file is plain text: the template is a small study that explains every line."
)
_TEMPLATE_NAME = "my study.toml"
_TEMPLATE_KINDS = {"Studies (*.toml)": (".toml",)}
_MOST_VARIABLES_A_ROW = 3
_SCREEN_GONE = "The screen chosen is gone; connect it again or choose another"


class StudyPanel(Drawer):
    """Let the protocol, the participant and the screen be chosen.

    file_chosen: a protocol is to be read. template_wanted: one is to be written to this path and
    read. begin_wanted: the study is to begin.
    """

    file_chosen = Signal(str)
    template_wanted = Signal(str)
    begin_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.protocol: Protocol | None = None
        self._folder = Path.home()
        self._file = PlaceRow("Study", "Choose…", "Choose the file that says what is shown")
        self._file.change.clicked.connect(self._choose_file)
        self._template = self._file.add_button(
            "New from a template…", "Write a small study that can be changed, and use it"
        )
        self._template.clicked.connect(self._choose_template)
        self._participant = QLineEdit()
        self._participant.setPlaceholderText("a code such as P07; no name")
        self._participant.setMaximumWidth(280)
        self._variables = QWidget()
        self._fields: dict[str, QLineEdit] = {}
        self._screen = QComboBox()
        self._screen.setPlaceholderText("the one chosen is gone")
        self._screens: list[QScreen] = []
        self._screen_wish: str | None = None
        """The name of the screen that the user chose, None while nobody has."""
        self._screen_label = QLabel("Screen")
        self._words, self._problem = plain_label(_HINT), plain_label()
        self._words.setProperty("quiet", True)
        self._problem.setProperty("problem", True)
        for label in (self._words, self._problem):
            label.setWordWrap(True)
        self._missing = QLabel()
        self._missing.setProperty("quiet", True)
        self.begin = QPushButton("Begin")
        self.begin.setProperty("primary", True)
        self.begin.clicked.connect(self.begin_wanted)
        self._participant.textChanged.connect(self._dress)
        self._participant.returnPressed.connect(self.begin.click)
        self._screen.activated.connect(self._choose_screen)
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)
        application.screenAdded.connect(self._list_screens)
        application.screenRemoved.connect(self._list_screens)
        self._why_not = ""
        self._begun: dict[QLineEdit, str] = {}
        self._build()
        self._file.show_place(_NO_FILE, chosen=False)
        self._list_screens()
        self.show_protocol(None, "")
        self.first = self._file.change

    @property
    def participant(self) -> str:
        return self._participant.text().strip()

    @property
    def variables(self) -> dict[str, str]:
        """Return what was noted of the participant, by the variable's name."""
        return {name: field.text().strip() for name, field in self._fields.items()}

    @property
    def screen_chosen(self) -> QScreen | None:
        """Return the screen that the participant looks at, None while the one chosen is gone."""
        place = self._screen.currentIndex()
        return self._screens[place] if place >= 0 else None

    def show_or_hide(self) -> None:
        if self.isHidden():
            self._list_screens()
        super().show_or_hide()

    def show_reading(self, path: Path) -> None:
        """Say which protocol is being read."""
        self._folder = path.parent
        self._file.show_place(str(path))
        self.show_protocol(None, "")
        self._say(f"Reading {path.name} and the files that it names…")

    def show_protocol(self, protocol: Protocol | None, problem: str) -> None:
        """Show the protocol that was read, or why it could not be.

        problem: with a protocol, what it can do without: it can be begun all the same.
        """
        self.protocol = protocol
        if problem:
            self._say(problem, warns=True)
        if protocol is not None or not problem:
            self._say(_HINT if protocol is None else self._told(protocol))
        self._problem.setVisible(bool(problem))
        names = protocol.variables if protocol is not None else ()
        if names != tuple(self._fields):
            self._ask_for(names)
        self._dress()
        if protocol is not None and not self.isHidden():
            self._participant.setFocus()

    def refuse(self, why: str) -> None:
        """Let no study begin, for this reason; "" for none."""
        if why != self._why_not:
            self._why_not = why
            self._dress()

    def keep_begun(self) -> None:
        """Note what a study begins with."""
        self._begun = {field: field.text() for field in self._all_fields}

    def next_participant(self) -> None:
        """Make ready for another participant; what was typed for them already stays."""
        for field in self._all_fields:
            if field.text() == self._begun.get(field):
                field.clear()

    @property
    def _all_fields(self) -> tuple[QLineEdit, ...]:
        return (self._participant, *self._fields.values())

    def _say(self, words: str, *, warns: bool = False) -> None:
        shown, other = (self._problem, self._words) if warns else (self._words, self._problem)
        shown.setText(breakable(words))
        other.hide()
        shown.show()

    def _told(self, protocol: Protocol) -> str:
        return f"{protocol.title}: {words_of(protocol)}. Esc, pressed twice, stops it."

    def _dress(self) -> None:
        missing = ""
        if self.protocol is None:
            missing = "Choose a study first"
        elif not self.participant:
            missing = "Enter a participant code"
        elif self.screen_chosen is None:
            missing = _SCREEN_GONE
        why_not = missing or self._why_not
        self.begin.setEnabled(not why_not)
        self.begin.setToolTip(why_not or "Ask for consent, record, and show")
        self._missing.setText(why_not)

    def _ask_for(self, names: tuple[str, ...]) -> None:
        """Make a field for each variable."""
        grid = self._variables.layout()
        assert isinstance(grid, QGridLayout)
        while grid.count():
            item = grid.takeAt(0)
            if item is not None and (widget := item.widget()) is not None:
                widget.hide()
                widget.deleteLater()
        self._fields = {}
        for place, name in enumerate(names):
            row, column = divmod(place, _MOST_VARIABLES_A_ROW)
            label, field = QLabel(name), QLineEdit()
            label.setProperty("quiet", True)
            label.setBuddy(field)
            field.setAccessibleName(name)
            grid.addWidget(label, row, 2 * column)
            grid.addWidget(field, row, 2 * column + 1)
            self._fields[name] = field
        for widget in (self._variables, self._variables_label):
            widget.setVisible(bool(names))

    def _list_screens(self) -> None:
        """List the screens: the one that the user chose, or else another than the window's.

        Screens come and go, so that it is their name that is kept, not their place.
        """
        screens = self._screens = QGuiApplication.screens()
        self._screen.clear()
        for number, screen in enumerate(screens, 1):
            size = screen.geometry().size() * screen.devicePixelRatio()
            here = ", where Mien is" if screen is self.screen() else ""
            self._screen.addItem(f"{number}: {size.width()} x {size.height()}{here}", _name(screen))
        if self._screen_wish is not None:
            self._screen.setCurrentIndex(self._screen.findData(self._screen_wish))
        else:
            others = [place for place, one in enumerate(screens) if one is not self.screen()]
            self._screen.setCurrentIndex(others[0] if others else 0)
        self._show_screen()

    def _choose_screen(self) -> None:
        self._screen_wish = self._screen.currentData()
        self._show_screen()

    def _show_screen(self) -> None:
        """Show the choice of a screen where there is one, and whether it can be used."""
        offered = len(self._screens) > 1 or self.screen_chosen is None
        for widget in (self._screen, self._screen_label):
            widget.setVisible(offered)
        self._dress()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(8)
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        inner = QGridLayout(self._variables)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setHorizontalSpacing(10)
        self._variables_label = QLabel("Noted")
        for widget in (self._variables, self._variables_label):
            widget.hide()
        rows: list[tuple[QLabel, QWidget]] = [
            (QLabel("Study"), self._file),
            (QLabel("Participant"), self._participant),
            (self._variables_label, self._variables),
            (self._screen_label, self._screen),
        ]
        for row, (label, part) in enumerate(rows):
            label.setProperty("quiet", True)
            label.setBuddy(part)
            part.setAccessibleName(label.text())
            grid.addWidget(label, row, 0)
            grid.addWidget(part, row, 1)
        self._screen.setMaximumWidth(280)
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addStretch(1)
        for widget in (self._missing, self.begin, self.done):
            foot.addWidget(widget)
        grid.setColumnStretch(1, 1)
        column.addLayout(grid)
        column.addWidget(self._words)
        column.addWidget(self._problem)
        column.addLayout(foot)
        for button in (self.begin, self._screen):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.installEventFilter(KeepSpace(button))
        self.setTabOrder(self.begin, self.done)

    def _choose_file(self) -> None:
        chosen = dialogs.choose_protocol(self.window(), self._folder)
        if chosen:
            self.file_chosen.emit(chosen)

    def _choose_template(self) -> None:
        suggested = self._folder / _TEMPLATE_NAME
        chosen = dialogs.choose_target(self.window(), "New study", suggested, _TEMPLATE_KINDS)
        if chosen is not None:
            self.template_wanted.emit(str(chosen[0]))


def _name(screen: QScreen) -> str:
    """Return what tells a screen from the others, also after it was connected again."""
    return f"{screen.name()} {screen.serialNumber()}"
