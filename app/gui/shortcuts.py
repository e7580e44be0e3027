"""The keys of every workspace, listed without making the workspaces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.gui.actions import WindowActions, make_actions

Row = tuple[str, str]
_ESCAPE = ("Esc", "Leave full screen")
_MARKERS = ("1 to 9", "Set a marker")
_REMOVE = ("Del", "Remove the chosen marker or interval")


def shortcut_parts(shared: WindowActions) -> dict[str, list[Row]]:
    """Return keys and the menus' words for what they do, by the part of the window they work in.

    shared: the actions of every workspace. Of the others' actions copies are made that nobody
    can press: their modules are small, while what they belong to takes seconds to load.
    """
    from app.gui.analyse.actions import make_analyse_actions
    from app.gui.review.actions import make_review_actions

    nowhere = QWidget()  # is never shown, so its shortcuts never work
    live, analyse = make_actions(nowhere), make_analyse_actions(nowhere)
    review = make_review_actions(nowhere)
    live_name, analyse_name, review_name = map(_words, shared.workspaces.values())
    return {
        "Everywhere": [*_rows(shared.all()), _ESCAPE],
        live_name: _rows(live.all(), live.markers),
        analyse_name: _rows(analyse.all()),
        review_name: [*_rows(review.all(), review.markers), _REMOVE],
    }


def _rows(actions: Iterable[QAction], markers: Sequence[QAction] = ()) -> list[Row]:
    """Return the keys of each action that has some, the markers' in one row."""
    native = QKeySequence.SequenceFormat.NativeText
    rows = [
        _MARKERS
        if action in markers
        else (", ".join(keys.toString(native) for keys in action.shortcuts()), _words(action))
        for action in actions
        if action.shortcuts()
    ]
    return list(dict.fromkeys(rows))


def _words(action: QAction) -> str:
    return action.text().replace("&", "").removesuffix("…")
