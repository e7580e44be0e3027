"""Open the window and run until it is closed."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from app.gui.icons import window_icon
from app.gui.places import snapshots_folder
from app.gui.theme import Theme
from app.live.engine import Engine, EngineOptions
from app.settings import Settings
from app.sources import list_cameras
from models.runtime.card import ModelError
from models.runtime.store import ModelEntry, bundled

_ENDING = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
"""What tells a program to end: Ctrl-C, a logout, a terminal that is closed."""


def run_window(
    options: EngineOptions,
    settings: Settings,
    settings_path: Path | None,
    notices: Sequence[str] = (),
    *,
    review: Path | None = None,
    streams: Sequence[str] = (),
    triggers: Sequence[str] = (),
) -> int:
    """Show the window until it is closed; return the exit status.

    settings: the user's, changed and stored when the window closes; settings_path: where, None
    for the usual place. notices: sentences to show at the start. review: a session or a video to
    open there. streams: to switch on, and triggers: to wait for, for this once.
    """
    engine = Engine(options)
    # First of all: model and camera load while the window's own parts are imported. No camera is
    # opened where nobody asked to see one.
    if _needs_engine(settings, [*streams, *triggers]):
        engine.start()
    try:
        return _run(engine, options, settings, settings_path, notices, review, streams, triggers)
    finally:
        engine.stop()


def _run(
    engine: Engine,
    options: EngineOptions,
    settings: Settings,
    settings_path: Path | None,
    notices: Sequence[str],
    review: Path | None,
    streams: Sequence[str],
    triggers: Sequence[str],
) -> int:
    from app.gui.window import MainWindow, Surroundings

    application = QApplication(sys.argv[:1])
    application.setApplicationName("Mien")
    application.setDesktopFileName("mien")
    application.setWindowIcon(window_icon())
    models, faults = _bundled()
    around = Surroundings(
        source=options.source,
        models=models,
        list_cameras=list_cameras,
        snapshot_folder=snapshots_folder(),
        settings_path=settings_path,
        notices=[*notices, *faults],
        engine_runs=_needs_engine(settings, [*streams, *triggers]),
        streams=streams,
        triggers=triggers,
        yunet_file=options.yunet_file,
    )
    theme = Theme(application, settings.theme)
    window = MainWindow(engine, settings, theme, around)
    # The window's timer gives Python its turn, so that Ctrl-C in the terminal works, and so that a
    # recording is ended well when the system logs out. Not at once: Python may be in a slot.
    before = {
        number: signal.signal(number, lambda *_: QTimer.singleShot(0, window.close_at_once))
        for number in _ENDING
    }
    try:
        window.start()
        window.show()
        if review is not None:
            window.open_path(str(review))
        return application.exec()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _needs_engine(settings: Settings, asked: Sequence[str]) -> bool:
    """Say whether somebody looks at, or listens to, what the engine says from the start.

    asked: the streams and triggers of this once.
    """
    return settings.workspace == "live" or bool(settings.streams or settings.triggers or asked)


def _bundled() -> tuple[list[ModelEntry], list[str]]:
    try:
        return bundled(), []
    except ModelError as error:
        return [], [str(error)]
