"""The question for a camera in the network: its address and, apart from it, who may see it."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit, urlunsplit

from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QVBoxLayout,
    QWidget,
)

from app.sources.network import EXAMPLE, why_no_address

_HELP = (
    f"The address stands in the camera's own settings or its manual, such as {EXAMPLE} or "
    "http://192.168.1.30:8080/video.\n\nUser and password go to this camera alone; they are "
    "neither shown nor stored. Mien asks it for its pictures and sends nothing else."
)
_WIDTH = 480


class AddressDialog(QDialog):
    """Ask for the address of a network camera; it closes with one that can be tried, or without."""

    def __init__(self, parent: QWidget, last: str) -> None:
        """Begin with the address of the last camera, which has no password any more."""
        super().__init__(parent)
        self.setWindowTitle("Network camera")
        self.place = QLineEdit(last)
        self.place.setPlaceholderText(EXAMPLE)
        self.place.editingFinished.connect(self._take_login_out)
        self.user = QLineEdit()
        self.user.setPlaceholderText("where the camera asks for one")
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        form = QFormLayout()
        form.setHorizontalSpacing(12)
        for words, field in (
            ("Address", self.place),
            ("User", self.user),
            ("Password", self.password),
        ):
            field.setAccessibleName(words)
            form.addRow(words, field)
        told = QLabel(_HELP)
        told.setWordWrap(True)
        told.setProperty("quiet", True)
        self.problem = QLabel()
        self.problem.setWordWrap(True)
        self.problem.setProperty("problem", True)
        self.problem.hide()
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        watch = buttons.addButton("Watch", QDialogButtonBox.ButtonRole.AcceptRole)
        watch.setProperty("primary", True)
        watch.setDefault(True)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 12)
        column.setSpacing(12)
        column.addLayout(form)
        column.addWidget(self.problem)
        column.addWidget(told)
        column.addWidget(buttons)
        self.setFixedWidth(_WIDTH)

    @property
    def address(self) -> str:
        """Return the whole address, user and password in it; empty where none was given."""
        return with_login(self.place.text(), self.user.text().strip(), self.password.text())

    def accept(self) -> None:
        """Close, unless what was typed is no address."""
        self._take_login_out()
        why = why_no_address(self.address) if self.address else ""
        self.problem.setText(why)
        self.problem.setVisible(bool(why))
        self.adjustSize()
        if not why:
            super().accept()

    def _take_login_out(self) -> None:
        """Move user and password, where they were pasted with the address, to their own fields."""
        try:
            parts = urlsplit(self.place.text().strip())
        except ValueError:  # half typed
            return
        login, at, host = parts.netloc.rpartition("@")
        if at:
            user, _, password = login.partition(":")
            self.user.setText(unquote(user))
            self.password.setText(unquote(password))
            self.place.setText(urlunsplit(parts._replace(netloc=host)))


def with_login(address: str, user: str, password: str) -> str:
    """Return an address with user and password before its host; without them as it is."""
    address = address.strip()
    scheme, separator, rest = address.partition("://")
    if not separator or not (user or password):
        return address
    return f"{scheme}://{quote(user, safe='')}:{quote(password, safe='')}@{rest}"
