"""What Review saves: asked before anything is replaced, and opened from the notice."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QFileDialog, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.gui.review import exports
from models.runtime.store import find_model, load_model

if TYPE_CHECKING:
    from tests.review.conftest import Desk

pytestmark = pytest.mark.gui

MODEL = "mini_xception.ferplus"


@pytest.fixture
def save_as(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path, str], None]:
    """Return what names the file and the kind that the user chooses next."""

    def choose(path: Path, kind: str) -> None:
        monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(path), kind))

    return choose


@pytest.mark.parametrize("answer", [False, True])
def test_markers_beside_a_table_are_not_replaced_unasked(
    opened: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
    save_as: Callable[[Path, str], None], answer: bool,
) -> None:  # fmt: skip
    asked: list[str] = []

    def confirm(_parent: QWidget, _title: str, text: str, _yes: str) -> bool:
        asked.append(text)
        return answer

    monkeypatch.setattr("app.gui.dialogs.confirm", confirm)
    table, beside = tmp_path / "mine.csv", tmp_path / "mine.markers.csv"
    for file in (table, beside):
        file.write_text("of weeks")
    save_as(table, "CSV (*.csv)")
    opened.review.menu_actions.export_table.trigger()
    if answer:
        opened.wait(qtbot, lambda: bool(opened.host.notices.texts))
    opened.host.jobs.close()
    (question,) = asked
    assert '"mine.markers.csv" is there already' in question
    kept = [file.read_text() == "of weeks" for file in (table, beside)]
    assert kept == [not answer, not answer]


def test_a_table_of_a_new_name_asks_nothing(
    opened: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
    save_as: Callable[[Path, str], None],
) -> None:  # fmt: skip
    monkeypatch.setattr("app.gui.dialogs.confirm", lambda *_: pytest.fail("nothing to ask"))
    save_as(tmp_path / "mine.csv", "CSV (*.csv)")
    opened.review.menu_actions.export_table.trigger()
    opened.wait(qtbot, lambda: bool(opened.host.notices.texts))
    assert (tmp_path / "mine.markers.csv").exists()


@pytest.mark.parametrize(
    ("action", "name", "kind", "word", "opens"),
    [
        ("export_table", "a.csv", "CSV (*.csv)", "Open folder", "."),
        ("export_picture", "a.png", "PNG image (*.png)", "Open", "a.png"),
        ("report", "a.html", "Web page (*.html)", "Open", "a.html"),
    ],
)
def test_what_was_saved_can_be_opened_from_its_notice(
    opened: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
    save_as: Callable[[Path, str], None], action: str, name: str, kind: str, word: str, opens: str,
) -> None:  # fmt: skip
    places: list[Path] = []
    monkeypatch.setattr(exports, "open_place", places.append)
    save_as(tmp_path / name, kind)
    getattr(opened.review.menu_actions, action).trigger()
    opened.wait(qtbot, lambda: bool(opened.host.notices.texts))
    assert opened.host.notices.texts == [f"Saved {name} in {tmp_path}."]
    (button,) = (
        each for each in opened.host.notices.findChildren(QPushButton) if each.text() == word
    )
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    assert places == [tmp_path / opens]


def test_a_report_shows_the_card_without_the_network(
    opened: Desk, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch,
    save_as: Callable[[Path, str], None],
) -> None:  # fmt: skip
    monkeypatch.setattr(exports, "load_model", lambda *_, **__: pytest.fail("it is large"))
    opened.model.recording.info["model"] = {"name": MODEL}
    save_as(tmp_path / "a.html", "Web page (*.html)")
    opened.review.menu_actions.report.trigger()
    opened.wait(qtbot, lambda: bool(opened.host.notices.texts))
    assert "Limits of this model" in (tmp_path / "a.html").read_text(encoding="utf-8")


def test_a_card_is_the_same_beside_a_file_and_inside_it(tmp_path: Path) -> None:
    inside = shutil.copy(find_model(MODEL), tmp_path / "own.onnx")
    whole = exports.card_of({"model": {"name": MODEL}})
    assert whole is not None
    assert whole == load_model(MODEL, provider="CPU").card
    assert exports.card_of({"model": {"name": str(inside)}}) == whole.without_file()
    assert exports.card_of({"model": {"name": str(tmp_path / "gone.onnx")}}) is None
    assert exports.card_of({}) is None
