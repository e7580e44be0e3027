from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

import pytest
from PySide6.QtCore import QObject, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QImage, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QFrame,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.gui.banner import WARNING
from app.gui.controls import Check
from app.gui.icons import NAMES, icon
from app.gui.recording_panel import RecordingPanel
from app.gui.theme import DARK, LIGHT, Theme, Tokens, _style_sheet
from app.gui.window import MainWindow
from app.settings import Settings

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
    assert contrast(tokens.text, tokens.tint) >= 4.5
    for sign in (tokens.accent, tokens.warning, tokens.danger):
        assert contrast(sign, tokens.background) >= 3
        assert contrast(sign, tokens.surface) >= 3


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_fields_and_what_is_on_can_be_seen(tokens: Tokens) -> None:
    for ground in (tokens.background, tokens.surface, tokens.raised):
        assert contrast(tokens.edge, ground) >= 3, ground
        assert contrast(tokens.accent, ground) >= 3, ground


def drawn(widget: QWidget) -> tuple[QImage, int]:
    """Return a widget drawn large, so that letters have their full ink, and pixels for one."""
    scale = 4
    image = QImage(widget.size() * scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    widget.render(image)
    return image, scale


def text_contrast(button: QPushButton) -> float:
    """Return the contrast between the ground of a button and the ink that differs from it most."""
    image, scale = drawn(button)
    inside = image.copy(image.rect().adjusted(6 * scale, 5 * scale, -6 * scale, -5 * scale))
    colours = Counter(
        inside.pixelColor(x, y).name()
        for x in range(inside.width())
        for y in range(inside.height())
    )
    (ground, _), *others = colours.most_common()
    assert others, "nothing is written on it"
    return max(contrast(ground, other) for other, _ in others)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_button_that_goes_on_can_be_read_in_every_state(
    open_window: Callable[..., MainWindow], name: str
) -> None:
    window = open_window(Settings(theme=name))
    buttons = [
        button
        for part in (window.live, window.live.study.panel, window.analyse, window.review)
        for button in part.findChildren(QPushButton)
        if button.property("primary")
    ]
    assert len(set(buttons)) >= 4
    for button in buttons:
        button.ensurePolished()
        button.resize(button.sizeHint())
        for enabled, hovered in ((True, False), (True, True), (False, False)):
            button.setEnabled(enabled)
            button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse, hovered)
            assert text_contrast(button) >= 4.5, (button.text(), enabled, hovered)
    begin = window.live.study.panel.begin
    begin.setEnabled(True)
    window.live.study.panel.show()
    begin.setFocus(Qt.FocusReason.TabFocusReason)
    assert begin.hasFocus()
    assert text_contrast(begin) >= 4.5


@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_switch_that_is_on_differs_from_one_that_is_off(qapp: QApplication, name: str) -> None:
    Theme(qapp, name)
    bottoms = []
    for on in (False, True):
        frame = QFrame()
        frame.setObjectName("toolbar")
        switch = QToolButton(frame)
        switch.setText("Bars")
        switch.setCheckable(True)
        switch.setChecked(on)
        frame.resize(80, 40)
        switch.setGeometry(0, 0, 80, 40)
        image, scale = drawn(frame)
        bottoms.append(image.pixelColor(40 * scale, 39 * scale).name())
    assert contrast(*bottoms) >= 3


@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_field_in_a_panel_has_an_edge(qapp: QApplication, qtbot: QtBot, name: str) -> None:
    theme = Theme(qapp, name)
    panel = RecordingPanel(Settings(), theme)
    qtbot.addWidget(panel)
    panel.resize(700, 220)
    panel.show()
    panel.setFocus()
    image = panel.grab().toImage()
    for field in (panel._title, panel._video, panel._consent):
        place = field.mapTo(panel, field.rect().topLeft())
        edge = image.pixelColor(place.x(), place.y() + field.height() // 2).name()
        assert contrast(edge, theme.tokens.raised) >= 3, field


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


@pytest.mark.parametrize("tokens", [DARK, LIGHT], ids=["dark", "light"])
def test_no_text_has_a_colour_that_only_marks(tokens: Tokens) -> None:
    grounds = (tokens.background, tokens.surface, tokens.raised)
    for colour in re.findall(r"(?<![-\w])color: (#\w+)", _style_sheet(tokens)):
        if colour != tokens.on_accent:
            assert all(contrast(colour, ground) >= 4.5 for ground in grounds), colour


@pytest.mark.parametrize("name", ["dark", "light"])
@pytest.mark.parametrize("ticked", [False, True])
def test_a_box_to_tick_shows_that_it_has_the_focus(
    qapp: QApplication, qtbot: QtBot, name: str, ticked: bool
) -> None:
    theme = Theme(qapp, name)
    page = QWidget()
    qtbot.addWidget(page)
    box, other = Check("Blur faces in it", theme), QPushButton()
    column = QVBoxLayout(page)
    for widget in (box, other):
        column.addWidget(widget)
    box.setChecked(ticked)
    with qtbot.waitExposed(page):
        page.show()
    page.activateWindow()
    qtbot.waitUntil(page.isActiveWindow)
    edges = []
    for widget in (other, box):
        widget.setFocus()
        image = box.grab().toImage()
        edges.append(image.pixelColor(image.width() // 2, 0).name())
    assert contrast(*edges) >= 3


def test_tool_buttons_show_their_signs_as_they_are_drawn(
    open_window: Callable[..., MainWindow],
) -> None:
    window = open_window(size=(800, 600))
    window.show_workspace("review")
    window.notices.say("A notice with a button that closes it", WARNING)
    buttons = [
        one
        for one in window.findChildren(QToolButton)
        if not one.icon().isNull() and not one.objectName().startswith("qt_")  # the style's own
    ]
    assert len(buttons) > 20
    assert {one.iconSize() for one in buttons} == {QSize(20, 20)}, [
        one.accessibleName() for one in buttons if one.iconSize() != QSize(20, 20)
    ]
    for button in buttons:
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setEnabled(True)
        button.setChecked(False)
        button.ensurePolished()
        button.resize(button.minimumSize().expandedTo(button.sizeHint()))
        frame = button.grab().toImage()
        ground = frame.pixelColor(frame.width() // 2, 3)
        left, top = (frame.width() - 20) // 2, (frame.height() - 20) // 2
        shown = frame.copy(left, top, 20, 20)
        meant = QImage(20, 20, shown.format())
        meant.fill(ground)
        painter = QPainter(meant)
        painter.drawPixmap(0, 0, button.icon().pixmap(20, 20))
        painter.end()
        assert shown == meant, button.accessibleName()


def test_a_pause_draws_its_own_sign_once(
    open_window: Callable[..., MainWindow], monkeypatch: pytest.MonkeyPatch
) -> None:
    window = open_window()
    drawn: list[str] = []

    def noted(name: str, tokens: Tokens) -> QIcon:
        drawn.append(name)
        return icon(name, tokens)

    monkeypatch.setattr("app.gui.tool_buttons.icon", noted)
    pause = window.live.menu_actions.pause
    before = pause.icon().cacheKey()
    for _ in range(3):
        pause.trigger()
        assert pause.icon().cacheKey() != before
        pause.trigger()
        assert pause.icon().cacheKey() == before
    assert drawn == ["play"]
