"""Everything the user can do in the review workspace, each made once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from app.gui.actions import make_action

REVIEW_OVERLAYS = {
    "boxes": ("&Boxes", "O", "Frame each face with its label"),
    "landmarks": ("&Landmarks", "L", "Draw the 68 points of the face"),
    "bars": ("B&ars", "B", "Draw a bar for every label beside the face"),
    "attention": ("&Attention", "A", "Show on the face where the model finds its label"),
}
MARKER_KEYS = tuple("123456789")


@dataclass(frozen=True, slots=True)
class ReviewActions:
    """Hold the actions of the review workspace by name."""

    open_session: QAction
    open_media: QAction
    close: QAction
    stop: QAction
    export_table: QAction
    export_picture: QAction
    report: QAction
    undo: QAction
    redo: QAction
    play: QAction
    slower: QAction
    faster: QAction
    back: QAction
    forward: QAction
    second_back: QAction
    second_forward: QAction
    first: QAction
    last: QAction
    previous_marker: QAction
    next_marker: QAction
    zoom_in: QAction
    zoom_out: QAction
    whole: QAction
    zoom_selection: QAction
    select_start: QAction
    select_end: QAction
    select_nothing: QAction
    keep: QAction
    note: QAction
    markers: tuple[QAction, ...]
    split: QAction
    exclude: QAction
    overlays: dict[str, QAction]
    next_view: QAction
    about: QAction

    def all(self) -> list[QAction]:
        """Return every action, in the order of the menus."""
        return [
            self.open_session, self.open_media, self.close, self.stop, self.export_table,
            self.export_picture, self.report, self.undo, self.redo, self.split, self.exclude,
            self.select_start, self.select_end, self.select_nothing, self.keep, self.note,
            *self.markers, self.play, self.slower, self.faster, self.back, self.forward,
            self.second_back, self.second_forward, self.first, self.last, self.previous_marker,
            self.next_marker, self.zoom_in, self.zoom_out, self.whole, self.zoom_selection,
            *self.overlays.values(), self.next_view, self.about,
        ]  # fmt: skip

    def for_session(self) -> list[QAction]:
        """Return those that make sense only while a session is open."""
        always = (self.open_session, self.open_media, self.stop, *self.overlays.values())
        return [action for action in self.all() if action not in always]


def make_review_actions(workspace: QWidget) -> ReviewActions:
    """Make the actions; their shortcuts work while the workspace is shown."""
    make = partial(make_action, workspace)
    made = ReviewActions(
        open_session=make("&Open session…", "Ctrl+O", "Open the folder of a recording"),
        open_media=make(
            "&Analyse video or image…", "Ctrl+Shift+O", "Read a video or an image, then review it"
        ),
        close=make("&Close session", "Ctrl+W", "Close the session"),
        stop=make("&Stop analysis", "Ctrl+.", "Stop analysing what is to be reviewed"),
        export_table=make("Export &table…", "Ctrl+E", "Save the edited table in another form"),
        export_picture=make(
            "Export &picture…", "Ctrl+Shift+E", "Save what is shown as PNG or SVG"
        ),
        report=make("Export &report…", "Ctrl+R", "Save a report in one HTML file"),
        undo=make("&Undo", "Ctrl+Z", "Take the last edit back"),
        redo=make("&Redo", "Ctrl+Y", "Make the edit again that was taken back"),
        play=make("&Play", "Space", "Play, or stop", toggles=True),
        slower=make("S&lower", "J", "Play at half the speed"),
        faster=make("F&aster", "K", "Play at twice the speed"),
        back=make("&Back one frame", "Left", "One frame back"),
        forward=make("&Forward one frame", "Right", "One frame forward"),
        second_back=make("Back one second", "Shift+Left", "One second back"),
        second_forward=make("Forward one second", "Shift+Right", "One second forward"),
        first=make("To the &beginning", "Home", "To the first frame"),
        last=make("To the &end", "End", "To the last frame"),
        previous_marker=make("Previous marker", "Ctrl+Left", "To the marker before"),
        next_marker=make("Next marker", "Ctrl+Right", "To the next marker"),
        zoom_in=make("Zoom &in", "+", "Show less of the time"),
        zoom_out=make("Zoom &out", "-", "Show more of the time"),
        whole=make("&Whole session", "0", "Show the whole time"),
        zoom_selection=make("Zoom to &interval", "Z", "Show the selected interval"),
        select_start=make("Interval &begins here", "[", "Begin the interval at this moment"),
        select_end=make("Interval &ends here", "]", "End the interval at this moment"),
        select_nothing=make("&Clear selection", "Ctrl+D", "Go back to the whole session"),
        keep=make("&Keep interval", "I", "Keep the selected interval under a name"),
        note=make("&Note…", "N", "Write a note at this moment"),
        markers=tuple(
            make(f"Marker &{key}", key, f"Set marker {key} at this moment") for key in MARKER_KEYS
        ),
        split=make("&Split face here", "T", "From here on the chosen face is somebody else"),
        exclude=make(
            "Leave face &out, or take it back in", "X",
            "Leave the chosen face out or take it back in; only in the interval if one is selected",
        ),
        overlays={
            name: make(*words, toggles=True) for name, words in REVIEW_OVERLAYS.items()
        },
        next_view=make("Next attention &view", "Shift+A", "Show the reasons in the next way"),
        about=make("&About this session", "Ctrl+I", "What was recorded, when and how"),
    )  # fmt: skip
    made.redo.setShortcuts([QKeySequence("Ctrl+Y"), QKeySequence("Ctrl+Shift+Z")])
    made.zoom_in.setShortcuts([QKeySequence("+"), QKeySequence("=")])
    for action in (made.back, made.forward, made.second_back, made.second_forward):
        action.setAutoRepeat(True)
    return made
