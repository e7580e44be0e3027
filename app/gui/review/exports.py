"""Save what a review shows: table, picture, report."""

from __future__ import annotations

import re
from pathlib import Path

from PySide6.QtCore import QBuffer, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from app.gui import dialogs
from app.gui.banner import INFO, NoticeAction
from app.gui.places import open_place
from app.gui.review.model import ReviewModel
from app.gui.review.timeline import Timeline
from app.gui.theme import Theme
from app.gui.video_view import VideoView
from app.gui.workspace import Host
from app.review.recording import ReviewError
from app.review.report import write_report
from app.review.table import edited_table, write_edited_markers
from app.sessions.export import FORMS, export_table
from models.runtime.card import Card, ModelError, read_card
from models.runtime.files import is_file, written_whole
from models.runtime.store import find_model, load_model

__all__ = ["Exports", "card_of", "paint_shown", "save_picture", "shown_size"]

_SCALE = 2.0
# As browsers count pixels.
_SVG_DPI = 96


class Exports:
    """Ask where to save, and save aside."""

    def __init__(
        self, model: ReviewModel, host: Host, video: VideoView, timeline: Timeline
    ) -> None:
        self._model = model
        self._host = host
        self._video = video
        self._timeline = timeline

    def table(self) -> None:
        """Save the edited table in one of the forms, and the markers beside it."""
        forms = sorted(FORMS.values(), key=lambda form: form.name != "csv")
        kinds = {f"{form.words} (*{form.suffix})": form for form in forms}
        # Without a suffix: which one it gets is up to the form that is chosen.
        chosen = dialogs.choose_target(
            self._host.window, "Export table", self._suggested("table"),
            {words: (form.suffix,) for words, form in kinds.items()},
        )  # fmt: skip
        if chosen is None:
            return
        target, form = chosen[0], kinds[chosen[1]]
        state = self._model.state
        beside = _beside(target, form.suffix) if state.markers else None
        if beside is not None and not self._may_write(beside):
            return

        def work() -> Path:
            table, labels = edited_table(state)
            export_table(table, labels, form.name, target)
            if beside is not None:
                write_edited_markers(state, beside)
            return target

        self._host.jobs.submit(work, self._saved, self._host.warn, saves=target)

    def picture(self) -> None:
        """Save picture and timeline as they are shown."""
        kinds = {"PNG image (*.png)": (".png", ".svg"), "SVG drawing (*.svg)": (".svg", ".png")}
        chosen = dialogs.choose_target(
            self._host.window, "Export picture", self._suggested("shown"), kinds
        )
        if chosen is None:
            return
        target = chosen[0]
        try:
            save_picture(target, self._video, self._timeline, self._host.theme)
        except ReviewError as error:
            self._host.warn(str(error))
        else:
            self._saved(target, opens=True)

    def report(self) -> None:
        """Save a report."""
        kinds = {"Web page (*.html)": (".html", ".htm")}
        chosen = dialogs.choose_target(
            self._host.window, "Export report", self._suggested("report.html"), kinds
        )
        if chosen is None:
            return
        target = chosen[0]
        state, second = self._model.state, self._model.second

        def work() -> Path:
            write_report(target, state, card=card_of(state.recording.info), second=second)
            return target

        self._host.jobs.submit(
            work, lambda path: self._saved(path, opens=True), self._host.warn, saves=target
        )

    def _suggested(self, name: str) -> Path:
        folder = self._model.recording.path
        return folder.parent / f"{folder.name} {name}"

    def _may_write(self, markers: Path) -> bool:
        """Ask before markers are replaced: the chooser knows only the name of the table."""
        said = f'The markers are saved beside the table, but "{markers.name}" is there already.'
        return not markers.exists() or dialogs.confirm(
            self._host.window, "Replace file", said, "Replace"
        )

    def _saved(self, path: Path, *, opens: bool = False) -> None:
        """Say where something is. opens: whether most machines can show a file of its kind."""
        action = (
            NoticeAction("Open", lambda: open_place(path))
            if opens
            else NoticeAction("Open folder", lambda: open_place(path.parent))
        )
        self._host.notices.say(f"Saved {path.name} in {path.parent}.", INFO, action)


def _beside(table: Path, suffix: str) -> Path:
    """Return where the markers of an exported table go."""
    return table.with_name(table.name[: -len(suffix)] + ".markers.csv")


def paint_shown(painter: QPainter, video: VideoView, timeline: Timeline, theme: Theme) -> None:
    """Paint the picture above the timeline, as large together as `shown_size`."""
    size = shown_size(video, timeline)
    height = size.height() - timeline.painted_height()
    painter.fillRect(QRectF(0, 0, size.width(), size.height()), QColor(theme.tokens.stage))
    if height:
        source = video.picture_rect()
        place = QRectF(0, 0, source.width() * height / source.height(), height)
        place.moveLeft((size.width() - place.width()) / 2)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.drawImage(place, video.picture())
    painter.translate(0, height)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    timeline.paint(painter, size.width())
    painter.translate(0, -height)


def save_picture(path: Path, video: VideoView, timeline: Timeline, theme: Theme) -> None:
    """Write what is shown as PNG, at twice the size, or as SVG. Raises `ReviewError`."""
    size = shown_size(video, timeline)
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    if path.suffix.lower() == ".svg":
        generator = QSvgGenerator()
        generator.setOutputDevice(buffer)
        generator.setSize(size)
        generator.setViewBox(QRectF(0, 0, size.width(), size.height()))
        generator.setResolution(_SVG_DPI)
        generator.setTitle("Mien review")
        painter = QPainter(generator)
        paint_shown(painter, video, timeline, theme)
        painter.end()
    else:
        image = QImage(size * _SCALE, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.black)
        painter = QPainter(image)
        painter.scale(_SCALE, _SCALE)
        paint_shown(painter, video, timeline, theme)
        painter.end()
        image.save(buffer, "PNG")  # type: ignore[call-overload]
    try:
        with written_whole(path) as partial:
            partial.write_bytes(_portable(bytes(buffer.data().data())))
    except OSError as error:
        raise ReviewError(
            f'"{path}" cannot be written ({error.strerror or error}); choose another folder or '
            f"free some space."
        ) from error


def _portable(drawing: bytes) -> bytes:
    """Name a kind of font after the font's own name, for machines that do not have it."""
    return re.sub(rb'font-family="([^"]*)"', rb'font-family="\1, sans-serif"', drawing)


def shown_size(video: VideoView, timeline: Timeline) -> QSize:
    """Return the pixels that picture and timeline take together."""
    source = QSizeF(video.picture_rect().size())
    width = timeline.width()
    height = 0
    if not source.isEmpty():
        height = round(source.height() * min(1.0, width / source.width()))
    return QSize(width, height + timeline.painted_height())


def card_of(info: dict[str, object]) -> Card | None:
    """Return the card of the model that has the name of a session's, None if it is not here."""
    model = info.get("model")
    name = model.get("name") if isinstance(model, dict) else None
    if not isinstance(name, str) or not name:
        return None
    try:
        beside = find_model(name).with_suffix(".json")
        # A network is loaded for its card only where that lies nowhere else.
        return read_card(beside) if is_file(beside) else load_model(name, provider="CPU").card
    except ModelError:
        return None
