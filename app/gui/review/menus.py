"""The menus of the review workspace."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu

from app.gui.menus import add_shared_view
from app.gui.review.actions import ReviewActions
from app.gui.workspace import Host


def review_menus(acts: ReviewActions, recent: QMenu, views: QMenu, host: Host) -> list[QMenu]:
    """Return File, Edit, Play and View. recent: of sessions. views: in which it is said why."""
    window = host.window
    file = QMenu("&File", window)
    file.addActions([acts.open_session, acts.open_media])
    file.addMenu(recent)
    file.addActions([acts.close, acts.stop])
    file.addSeparator()
    file.addActions([acts.export_table, acts.export_picture, acts.report])
    file.addSeparator()
    file.addActions([acts.about, host.actions.quit])
    edit = QMenu("&Edit", window)
    edit.addActions([acts.undo, acts.redo])
    edit.addSeparator()
    edit.addActions([acts.split, acts.exclude])
    edit.addSeparator()
    edit.addAction(acts.note)
    edit.addMenu("Set &marker").addActions(list(acts.markers))
    edit.addSeparator()
    edit.addActions([acts.select_start, acts.select_end, acts.select_nothing, acts.keep])
    play = QMenu("&Play", window)
    play.addActions([acts.play, acts.slower, acts.faster])
    play.addSeparator()
    play.addActions([acts.back, acts.forward, acts.second_back, acts.second_forward])
    play.addSeparator()
    play.addActions([acts.first, acts.last, acts.previous_marker, acts.next_marker])
    view = QMenu("&View", window)
    view.setToolTipsVisible(True)
    view.addActions(list(acts.overlays.values()))
    view.addMenu(views)
    view.addAction(acts.next_view)
    view.addSeparator()
    view.addActions([acts.zoom_in, acts.zoom_out, acts.whole, acts.zoom_selection])
    view.addSeparator()
    add_shared_view(view, host.actions)
    return [file, edit, play, view]
