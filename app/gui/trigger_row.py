"""One trigger as a row of fields."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from app.gui.controls import Choice, Number, Seconds
from app.gui.elided import breakable
from app.gui.keys import reach_by_tab
from app.gui.plain import plain_label
from app.gui.theme import Theme
from app.gui.wheel import LeaveWheel
from app.live.acting import TriggerStatus
from app.live.triggers import (
    ADDRESS_EXAMPLE,
    FACE,
    MARKER,
    NO_FACE,
    Trigger,
    TriggerError,
    parse_trigger,
    shown_then,
    without_login,
)

WIDTHS = {"When": 120, "at least": 84, "for": 84, "then": 152}
"""Of the columns that are as wide in every row, in pixels."""
GAP = 8
_STATE_WIDTH, _REMOVE_WIDTH, _LEAST_SAID = 90, 80, 72
_TEXT_MARGIN = 6  # a drawer's own fields leave a number none
_USUAL_PERCENT, _USUAL_SECONDS = 70, 0.5
_SET, _CALL = "marker", "address"
_HINTS = {
    _SET: ("Key or note of the marker", "1 to 9, or a note"),
    _CALL: ("Address that is called", ADDRESS_EXAMPLE),
}
_MISSING = {
    _SET: "Type a key from 1 to 9, or the text of a note.",
    _CALL: f"Type an address, such as {ADDRESS_EXAMPLE}.",
}
_FOREIGN = (
    "The model in use never says {label}; choose another expression, or a model that knows it."
)
_LOGIN_KEPT = "Its name and password are neither shown nor stored: type them anew next time."


class TriggerRow(QWidget):
    """Let one trigger be changed.

    changed: by the user. removed: the user wants it gone. for_once: it came from the command line
    and was not changed since.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, theme: Theme, labels: Iterable[str], trigger: Trigger | None = None) -> None:
        """Show a trigger, or the beginning of a new one. labels: those of the model in use."""
        super().__init__()
        self.for_once = False
        self.trigger: Trigger | None = None
        """What stands here, None while it cannot be used."""
        self._labels: tuple[str, ...] = ()
        self._login = ("", "")
        """Name and password, and the host that they are for."""
        self._percent = _USUAL_PERCENT
        self._status = TriggerStatus(0)
        self._fault = ""
        self.when = Choice("When")
        self.percent = Number(theme)
        self.seconds = Seconds(theme)
        self.then = Choice("Then")
        self.said = SecretField()
        self.state = QLabel()
        self.remove = QPushButton("Remove")
        self.hint, self.problem = plain_label(), plain_label()
        self._build()
        self.show_labels(labels)
        self._fill(trigger)
        self._read()
        self.when.activated.connect(self._choose_when)
        self.percent.valueChanged.connect(self._change)
        self.seconds.valueChanged.connect(self._change)
        self.then.activated.connect(self._choose_then)
        self.said.editingFinished.connect(self._change)
        self.remove.clicked.connect(self.removed)

    @property
    def stops(self) -> tuple[QWidget, ...]:
        """Return the fields in the order in which Tab goes through them."""
        return self.when, self.percent, self.seconds, self.then, self.said, self.remove

    def show_labels(self, labels: Iterable[str]) -> None:
        """Offer the labels of the model in use; one that stands here stays."""
        found = tuple(labels)
        if found == self._labels:
            return
        self._labels = found
        self._offer(self.when.currentData() or "")
        self._dress()

    def show_status(self, status: TriggerStatus) -> None:
        """Show how it stands."""
        if status != self._status:
            self._status = status
            self._dress()

    def _build(self) -> None:
        self.percent.setSuffix(" %")
        self.percent.setSpecialValueText("any")
        self.percent.setRange(1, 100)
        self.then.addItem("set a marker", _SET)
        self.then.addItem("call an address", _CALL)
        line = QHBoxLayout()
        line.setSpacing(GAP)
        fields = (self.when, self.percent, self.seconds, self.then)
        for field, width in zip(fields, WIDTHS.values(), strict=True):
            field.setFixedWidth(width)
            line.addWidget(field)
        self.percent.setAccessibleName("At least so sure, in per cent")
        self.seconds.setAccessibleName("For so many seconds")
        for spin in (self.percent, self.seconds):
            spin.setKeyboardTracking(False)
            spin.lineEdit().setTextMargins(_TEXT_MARGIN, 0, 0, 0)
            LeaveWheel(spin)
        self.said.setMinimumWidth(_LEAST_SAID)
        self.state.setFixedWidth(_STATE_WIDTH)
        self.state.setProperty("quiet", True)
        self.state.setAccessibleName("State of this trigger")
        self.remove.setFixedWidth(_REMOVE_WIDTH)
        reach_by_tab(self.remove)
        line.addWidget(self.said, 1)
        line.addWidget(self.state)
        line.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        self.hint.setProperty("quiet", True)
        self.problem.setProperty("problem", True)
        for label in (self.hint, self.problem):
            label.setWordWrap(True)
            column.addWidget(label)

    def _fill(self, trigger: Trigger | None) -> None:
        self.seconds.setValue(_USUAL_SECONDS if trigger is None else trigger.seconds)
        self.percent.setValue(self._percent)
        if trigger is not None:
            self._offer(trigger.when)
            self.percent.setValue(trigger.percent or self._percent)
            kind = _CALL if trigger.address else _SET
            self.then.setCurrentIndex(self.then.findData(kind))
            self.said.say(trigger.then.removeprefix(MARKER), secret=kind == _CALL)
        self._suit_when()
        self._suit_then()

    def _offer(self, when: str) -> None:
        """List what can be waited for, and choose one."""
        with QSignalBlocker(self.when):
            self.when.clear()
            for name in (*self._labels, FACE, NO_FACE):
                self.when.addItem(name, name)
            if when and self.when.findData(when) < 0:
                self.when.addItem(when, when)
            usual = "happiness" if "happiness" in self._labels else FACE
            self.when.setCurrentIndex(self.when.findData(when or usual))

    def _choose_when(self) -> None:
        self._suit_when()
        self._change()

    def _suit_when(self) -> None:
        """Let a percentage be given where there is one."""
        spin, has = self.percent, self.when.currentData() not in (FACE, NO_FACE)
        if spin.isEnabled() and not has:
            self._percent = spin.value()
        with QSignalBlocker(spin):
            spin.setMinimum(1 if has else 0)
            spin.setValue((spin.value() if spin.isEnabled() else self._percent) if has else 0)
        spin.setEnabled(has)

    def _choose_then(self) -> None:
        self._suit_then()
        self._change()

    def _suit_then(self) -> None:
        kind = self.then.currentData()
        name, hint = _HINTS[kind]
        self.said.setAccessibleName(name)
        self.said.setPlaceholderText(hint)
        self.said.say(self.said.whole, secret=kind == _CALL)

    def _change(self) -> None:
        before = self.trigger
        self._read()
        if self.trigger != before:
            self.for_once = False
            self.changed.emit()

    def _read(self) -> None:
        """Take what stands in the fields."""
        before, self._fault = self.trigger, ""
        self._take_login_out()
        try:
            self.trigger = parse_trigger(self._text()) if self.said.whole.strip() else None
        except TriggerError as error:
            self.trigger, self._fault = None, str(error)
        if self.trigger != before:
            self._status = TriggerStatus(0)
        self._dress()

    def _text(self) -> str:
        percent = self.percent.value() or ""
        said = self.said.whole.strip()
        then = MARKER + said if self.then.currentData() == _SET else self._with_login(said)
        return f"{self.when.currentData()},{percent},{self.seconds.value():g}={then}"

    def _take_login_out(self) -> None:
        """Keep the name and the password of an address where nobody sees them."""
        if self.then.currentData() != _CALL:
            return
        address = self.said.whole.strip()
        try:
            login, at, host = urlsplit(address).netloc.rpartition("@")
        except ValueError:  # the row says that it is none
            return
        if at:
            self._login = (login, host)
            self.said.say(without_login(address), secret=True)

    def _with_login(self, address: str) -> str:
        """Return an address with the login that was typed for its host."""
        login, host = self._login
        scheme, separator, rest = address.partition("://")
        try:
            same = bool(login) and urlsplit(address).netloc == host
        except ValueError:
            same = False
        return f"{scheme}{separator}{login}@{rest}" if same else address

    def _dress(self) -> None:
        """Say how it stands, and what is wrong."""
        self.remove.setAccessibleName(f"Remove the trigger on {self.when.currentText()}")
        missing = "" if self.said.whole.strip() else _MISSING[self.then.currentData()]
        fault = self._fault or self._wrong_now()
        kept = _LOGIN_KEPT if self.trigger and "@" in self.trigger.address else ""
        for label, said in ((self.problem, breakable(fault)), (self.hint, missing or kept)):
            label.setText(said)
            label.setVisible(bool(said))
        self.state.setText(_fired(self._status.fired) if self.trigger else "not in use")

    def _wrong_now(self) -> str:
        """Return what keeps a trigger from doing what it says, "" for nothing."""
        if self.trigger is None:
            return ""
        if self._status.problem:
            return f"Its last call failed: {self._status.problem}."
        label = self.trigger.when
        known = self.trigger.percent is None or not self._labels or label in self._labels
        return "" if known else _FOREIGN.format(label=label)


class SecretField(QLineEdit):
    """A field that shows the whole of an address only while it is typed.

    A screen may be seen by many, and the end of an address is often all that keeps others out.
    """

    def __init__(self) -> None:
        super().__init__()
        self.whole = ""
        """What stands here, shown or not."""
        self._secret = False
        self.textEdited.connect(self._keep)

    def say(self, text: str, *, secret: bool) -> None:
        """Take another text. secret: it is an address."""
        self.whole, self._secret = text, secret
        self._show(whole=self.hasFocus())

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._show(whole=True)
        super().focusInEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:  # its own menu, to paste
            self._show(whole=False)

    def _keep(self, text: str) -> None:
        self.whole = text

    def _show(self, *, whole: bool) -> None:
        shown = self.whole if whole or not self._secret else shown_then(self.whole)
        if shown != self.text():
            self.setText(shown)
            if not whole:
                self.setCursorPosition(0)


def _fired(times: int) -> str:
    if times <= 1:
        return "fired once" if times else "not yet"
    return f"fired {times} times" if times < 100 else f"{times:,} times"
