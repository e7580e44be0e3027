"""Windows beside the window: pages of text, and choosers of files with what they ask."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.gui.dialogs import PageDialog, choose_target
from app.gui.window import MainWindow

if TYPE_CHECKING:
    from tests.window.conftest import World

pytestmark = pytest.mark.gui

OpenWindow = Callable[..., MainWindow]
KINDS = {"Table (*.csv)": (".csv",), "Picture (*.png)": (".png", ".svg")}


@pytest.fixture
def parent(qtbot: QtBot) -> QWidget:
    widget = QWidget()
    qtbot.addWidget(widget)
    return widget


def chooser_says(monkeypatch: pytest.MonkeyPatch, path: Path | str, words: str) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), words))


@pytest.mark.parametrize(
    ("typed", "words", "name", "kind"),
    [
        ("a", "Table (*.csv)", "a.csv", "Table (*.csv)"),
        ("a.CSV", "Table (*.csv)", "a.CSV", "Table (*.csv)"),
        ("a.svg", "Picture (*.png)", "a.svg", "Picture (*.png)"),
        ("a.b", "Picture (*.png)", "a.b.png", "Picture (*.png)"),
        ("a", "", "a.csv", "Table (*.csv)"),
    ],
)
def test_a_name_gets_the_suffix_of_its_kind(
    parent: QWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, typed: str, words: str,
    name: str, kind: str,
) -> None:  # fmt: skip
    chooser_says(monkeypatch, tmp_path / typed, words)
    assert choose_target(parent, "Save", tmp_path, KINDS) == (tmp_path / name, kind)


def test_nothing_chosen_is_nowhere(parent: QWidget, monkeypatch: pytest.MonkeyPatch) -> None:
    chooser_says(monkeypatch, "", "")
    assert choose_target(parent, "Save", Path(), KINDS) is None


@pytest.mark.parametrize("agreed", [True, False])
def test_what_the_chooser_did_not_see_is_asked_for(
    parent: QWidget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, agreed: bool
) -> None:
    (tmp_path / "a.csv").write_text("kept")
    chooser_says(monkeypatch, tmp_path / "a", "Table (*.csv)")
    asked: list[str] = []

    def answer() -> None:
        (question,) = (
            each for each in QApplication.topLevelWidgets() if isinstance(each, QMessageBox)
        )
        asked.append(question.text())
        role = QMessageBox.ButtonRole.AcceptRole if agreed else QMessageBox.ButtonRole.RejectRole
        (button,) = (each for each in question.buttons() if question.buttonRole(each) == role)
        button.click()

    QTimer.singleShot(0, answer)
    found = choose_target(parent, "Save", tmp_path, KINDS)
    assert asked == ['"a.csv" is there already.']
    assert found == ((tmp_path / "a.csv", "Table (*.csv)") if agreed else None)


def test_help_opens_beside_the_picture(open_window: OpenWindow, qtbot: QtBot) -> None:
    window = open_window()
    acts = window.menu_actions
    for action, words in (
        (acts.shortcuts, "Save snapshot"),
        (acts.meaning, "apparent expression"),
        (acts.responsible, "Ask first"),
        (acts.about, "MIT"),
    ):
        action.trigger()
        page = window.findChildren(PageDialog)[-1]
        assert not page.isModal()
        assert words in page.page.toPlainText()
        page.close()
        qtbot.waitUntil(lambda: not window.findChildren(PageDialog))


def test_the_card_of_the_model_in_use(open_window: OpenWindow, world: World) -> None:
    window = open_window()
    window.live.menu_actions.model_card.trigger()
    assert "not loaded yet" in window.notices.texts[-1]
    entry = window.live.choices.models.entry("mini_xception.ferplus")
    assert entry is not None
    world.engine.known_card = replace(entry.card, title="The one in use")
    window.live.menu_actions.model_card.trigger()
    (page,) = window.findChildren(PageDialog)
    text = page.page.toPlainText()
    assert "The one in use" in text
    assert "happiness" in text
    assert "Limits" in text
