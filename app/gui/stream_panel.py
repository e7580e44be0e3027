"""Which streams are on: a small panel above the picture that stops nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from PySide6.QtCore import QSignalBlocker, Qt, Signal
from PySide6.QtWidgets import (
    QCheckBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
)

from app.gui.controls import Check
from app.gui.drawer import Drawer
from app.gui.keys import reach_by_tab
from app.gui.theme import Theme
from app.streams.base import StreamError, StreamStatus
from app.streams.switch import STREAMS, StreamSpec, parse_stream

_TITLES = {"lsl": "Lab Streaming Layer", "osc": "OSC", "websocket": "WebSocket"}
_HINT = (
    "Other programs get the numbers as they happen, never the picture; docs/streams.md says which. "
    "To lay them over a picture in OBS, add a browser source: http:// and the WebSocket's address."
)


class StreamPanel(Drawer):
    """Switch streams on and off, each by itself, and show how they stand.

    switched: with the name, the address as typed, and whether it is to be on.
    """

    switched = Signal(str, str, bool)

    def __init__(self, specs: Iterable[StreamSpec], theme: Theme) -> None:
        """Show the streams. specs: with addresses used before."""
        super().__init__()
        self._theme = theme
        known = {spec.name: spec for spec in specs}
        self.boxes: dict[str, QCheckBox] = {}
        self.addresses: dict[str, QLineEdit] = {}
        self.states: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 8, 12, 8)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(6)
        for row, (name, words) in enumerate(STREAMS.items()):
            self._add_row(grid, row, name, words, known.get(name) or parse_stream(name))
        hint = QLabel(_HINT)
        hint.setWordWrap(True)
        hint.setProperty("quiet", True)
        foot = QHBoxLayout()
        foot.addWidget(hint, 1)
        foot.addWidget(self.done, 0, Qt.AlignmentFlag.AlignBottom)
        grid.addLayout(foot, len(STREAMS), 0, 1, 3)
        grid.setColumnStretch(1, 2)
        grid.setColumnStretch(2, 5)
        self.first = next(iter(self.boxes.values()))

    def show_on(self, name: str, on: bool) -> None:
        """Show whether a stream is on."""
        with QSignalBlocker(self.boxes[name]):
            self.boxes[name].setChecked(on)
        if name in self.addresses:
            self.addresses[name].setEnabled(not on)

    def show_states(self, statuses: Iterable[StreamStatus]) -> None:
        """Show how those that are on stand."""
        found = {status.name: status for status in statuses}
        for name, label in self.states.items():
            text = _state_text(found[name]) if name in found else STREAMS[name].partition(": ")[2]
            if text != label.text():
                label.setText(text)

    def typed_addresses(self) -> tuple[str, ...]:
        """Return the streams with the addresses that stand here and are not the usual ones."""
        found = []
        for name in self.addresses:
            with contextlib.suppress(StreamError):  # half typed
                spec = parse_stream(f"{name}={self._typed(name)}")
                if spec != parse_stream(name):
                    found.append(str(spec))
        return tuple(found)

    def _add_row(
        self, grid: QGridLayout, row: int, name: str, words: str, spec: StreamSpec
    ) -> None:
        box = Check(_TITLES[name], self._theme)
        box.setToolTip(words)
        reach_by_tab(box)
        box.toggled.connect(lambda on, name=name: self.switched.emit(name, self._typed(name), on))
        self.boxes[name] = box
        grid.addWidget(box, row, 0)
        if spec.host:
            address = QLineEdit(spec.where)
            address.setMinimumWidth(126)
            address.setMaximumWidth(220)
            address.setAccessibleName(f"Address of {_TITLES[name]}")
            address.setToolTip("Host and port; 127.0.0.1 is this computer")
            address.returnPressed.connect(box.click)
            self.addresses[name] = address
            grid.addWidget(address, row, 1)
        state = QLabel()
        state.setWordWrap(True)
        state.setProperty("quiet", True)
        state.setAccessibleName(f"State of {_TITLES[name]}")
        self.states[name] = state
        grid.addWidget(state, row, 2)

    def _typed(self, name: str) -> str:
        return self.addresses[name].text().strip() if name in self.addresses else ""


def _state_text(status: StreamStatus) -> str:
    if status.error:
        return status.error
    parts = [f"{status.sent:,} sent"]
    if status.dropped:
        parts.append(f"{status.dropped:,} dropped")
    if status.listeners is not None:
        parts.append(f"{status.listeners} listening")
    return "  ·  ".join(parts)
