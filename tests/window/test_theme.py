from __future__ import annotations

import pytest
from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QComboBox

from app.gui.icons import NAMES, icon
from app.gui.theme import DARK, LIGHT, Theme, Tokens

pytestmark = pytest.mark.gui


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    parts = (QColor(colour).redF(), QColor(colour).greenF(), QColor(colour).blueF())
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_text_can_be_read(tokens: Tokens) -> None:
    for ground in (tokens.background, tokens.surface, tokens.raised, tokens.stage):
        assert contrast(tokens.text, ground) >= 4.5
        assert contrast(tokens.quiet, ground) >= 4.5, ground
    assert contrast(tokens.on_accent, tokens.accent) >= 4.5
    for sign in (tokens.accent, tokens.warning, tokens.danger):
        assert contrast(sign, tokens.background) >= 3
        assert contrast(sign, tokens.surface) >= 3


def test_the_theme_changes_at_once(qapp: QApplication) -> None:
    theme = Theme(qapp, "dark")
    heard: list[Tokens] = []
    theme.changed.connect(lambda: heard.append(theme.tokens))
    theme.choose("light")
    assert heard == [LIGHT]
    assert qapp.palette().window().color() == QColor(LIGHT.background)
    theme.choose("light")
    assert heard == [LIGHT]
    theme.choose("dark")
    assert qapp.palette().window().color() == QColor(DARK.background)


class Hints(QObject):
    """Stand in for a system that the user can turn from light to dark."""

    colorSchemeChanged = Signal(Qt.ColorScheme)
    scheme = Qt.ColorScheme.Light

    def colorScheme(self) -> Qt.ColorScheme:
        return self.scheme

    def setColorScheme(self, _: Qt.ColorScheme) -> None: ...
    def unsetColorScheme(self) -> None: ...


def test_system_follows_the_system(qapp: QApplication, monkeypatch: pytest.MonkeyPatch) -> None:
    hints = Hints()
    monkeypatch.setattr(QApplication, "styleHints", lambda *_: hints)
    theme = Theme(qapp, "system")
    assert theme.tokens is LIGHT
    hints.scheme = Qt.ColorScheme.Dark
    hints.colorSchemeChanged.emit(hints.scheme)
    assert theme.tokens is DARK


def test_icons_are_drawn_and_show_what_is_on() -> None:
    for name in NAMES:
        sign = icon(name, DARK)
        off = sign.pixmap(20, 20, sign.Mode.Normal, sign.State.Off).toImage()
        on = sign.pixmap(20, 20, sign.Mode.Normal, sign.State.On).toImage()
        assert off != on
        painted = sum(off.pixelColor(x, y).alpha() > 0 for x in range(20) for y in range(20))
        assert painted > 15, name


@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_box_to_choose_from_has_an_arrow(qapp: QApplication, name: str) -> None:
    theme = Theme(qapp, name)
    box = QComboBox()
    box.addItem("one")
    box.resize(120, 32)
    drawn = box.grab().toImage()
    ground, ink = QColor(theme.tokens.raised), QColor(theme.tokens.quiet)
    right = [drawn.pixelColor(x, y) for x in range(88, 114) for y in range(8, 24)]
    assert right.count(ground) > len(right) / 2
    assert sum(abs(one.lightness() - ink.lightness()) < 30 for one in right) > 5
    theme.choose("dark")
