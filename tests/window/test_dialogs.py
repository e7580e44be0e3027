"""Choosers of files, and what they ask before something is replaced."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QMessageBox, QWidget
from pytestqt.qtbot import QtBot

from app.gui.dialogs import choose_target

pytestmark = pytest.mark.gui

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
