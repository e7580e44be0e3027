"""The whole program: demo actor, finder, landmarks, bundled model, window."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.gui.theme import Theme
from app.gui.window import MainWindow, Surroundings
from app.live.engine import Engine, EngineOptions
from app.settings import Settings
from models.runtime.store import bundled

pytestmark = pytest.mark.gui


def test_the_actor_gets_labels_and_the_window_closes_cleanly(
    qtbot: QtBot, qapp: QApplication, tmp_path: Path
) -> None:
    before = set(threading.enumerate())
    engine = Engine(EngineOptions(source="actor"))
    engine.start()
    around = Surroundings(
        source="actor",
        models=bundled(),
        list_cameras=list,
        snapshot_folder=tmp_path,
        settings_path=tmp_path / "settings.json",
    )
    window = MainWindow(engine, Settings(theme="dark"), Theme(qapp, "dark"), around)
    qtbot.addWidget(window)
    window.start()
    window.show()
    qtbot.waitUntil(lambda: bool(window.live.panel.cards), timeout=30_000)
    qtbot.waitUntil(lambda: bool(window.live.chart.line_labels), timeout=30_000)
    qtbot.waitUntil(lambda: "CPU" in window.status_text, timeout=30_000)
    (card,) = window.live.panel.cards
    assert set(card.labels) == set(engine.labels)
    assert sum(card.shown_values.values()) == pytest.approx(1, abs=0.05)
    assert window.live.choices.toolbar.source.value == "Demo actor"
    assert not window.live.banner.isVisible()
    window.close()
    assert (tmp_path / "settings.json").is_file()
    qtbot.waitUntil(lambda: not (set(threading.enumerate()) - before), timeout=10_000)
