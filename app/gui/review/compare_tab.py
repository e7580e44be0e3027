"""Read the session again with another model, and see what changes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QComboBox,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app.gui.elided import breakable
from app.gui.help_texts import model_name
from app.gui.keys import KeepSpace
from app.gui.review.model import ReviewModel
from app.gui.theme import BODY_PX, SMALL_PX, Theme, font, label_colour
from app.gui.wheel import LeaveWheel
from app.gui.workspace import Host
from app.review.compare import Agreement, LabelChange, agreement, neutral_words
from app.review.pictures import find_pictures
from app.review.recording import Recording, ReviewError
from app.review.second import (
    Second,
    Stopped,
    read_again,
    read_second,
    second_file,
    second_files,
    write_second,
)
from app.review.words import between
from app.words import amount, per_cent
from models.runtime.store import load_model

_ROW = 22
_INTRODUCTION = (
    "Have another model read the same faces on the same pictures, and see where the two differ. "
    "The recording stays as it is."
)


_NO_PICTURES = (
    "There are no clean pictures of this session, and a model needs them to read it again: record "
    "with “The picture as it is” and faces not blurred, or put the analysed file back where it was."
)


@dataclass(slots=True)
class _Task:
    """Hold a second reading on its way."""

    model: str
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int = 0

    def report(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class CompareTab(QWidget):
    """Start second readings and show how they agree with the recorded one."""

    def __init__(self, model: ReviewModel, host: Host) -> None:
        super().__init__()
        self._model = model
        self._host = host
        self._task: _Task | None = None
        self._unfit: Path | None = None
        self._stale = True
        self.agreement: Agreement | None = None
        self.choice = QComboBox()
        self.choice.setAccessibleName("Model of the second reading")
        # Long names are cut short instead of making the panel wider.
        self.choice.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )
        self.choice.setMinimumContentsLength(10)
        self.choice.installEventFilter(KeepSpace(self.choice))
        LeaveWheel(self.choice)
        for entry in host.around.models:
            self.choice.addItem(model_name(entry.card), entry.name)
        self.start = QPushButton("Read again")
        self.choice.currentIndexChanged.connect(self._word_start)
        self.start.clicked.connect(self.start_or_stop)
        self.start.installEventFilter(KeepSpace(self.start))
        self.progress = QProgressBar()
        self.progress.setAccessibleName("Progress of the second reading")
        self.progress.hide()
        self.hide_button = QPushButton("Hide second reading")
        self.hide_button.clicked.connect(lambda: model.compare(None))
        self.hide_button.installEventFilter(KeepSpace(self.hide_button))
        introduction = QLabel(_INTRODUCTION)
        introduction.setWordWrap(True)
        introduction.setProperty("quiet", True)
        self._said = QLabel()
        self._said.setWordWrap(True)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.changes = ChangeTable(host.theme)
        self._build(introduction)
        model.opened.connect(self._after_opening)
        for signal in (model.changed, model.selected, model.chosen, model.compared):
            signal.connect(self.renew)
        model.compared.connect(self._word_start)
        self.renew()

    @property
    def busy(self) -> bool:
        return self._task is not None

    def start_or_stop(self) -> None:
        """Show what the chosen model read before, begin to read with it, or give that up."""
        if self._task is not None:
            self._task.stop.set()
            return
        if not self._model.is_open:
            return
        recording, kept = self._model.recording, self._kept()
        if kept is not None:
            self._open(recording, kept)
            return
        task = _Task(str(self.choice.currentData()))
        self._task = task
        self._host.jobs.submit(
            lambda: _read(recording, task),
            lambda second: self._take(recording, second),
            self._fail,
        )
        self.tick()

    def tick(self) -> None:
        """Show how far the reading is."""
        task = self._task
        self.progress.setVisible(task is not None)
        self._word_start()
        self.choice.setEnabled(task is None)
        if task is not None:
            self.progress.setRange(0, task.total)
            self.progress.setValue(task.done)
            self.progress.setFormat(f"{task.done:,} of {task.total:,} frames")

    def _word_start(self) -> None:
        words, tip = "Read again", "Let this model read the session, too"
        if self._task is not None:
            words, tip = "Stop", "Give the second reading up"
        elif self._model.is_open and self._kept() is not None:
            words, tip = "Show reading", "This model has read the session already"
        self.start.setText(words)
        self.start.setToolTip(tip)

    def _kept(self) -> Path | None:
        """Return the file of what the chosen model read before, None where that is shown."""
        model = str(self.choice.currentData())
        file = second_file(self._model.recording.path, model)
        shown = self._model.second is not None and self._model.second.model == model
        return file if file.is_file() and not shown and file != self._unfit else None

    def close_down(self) -> None:
        if self._task is not None:
            self._task.stop.set()

    def renew(self) -> None:
        """Count anew, once it is seen."""
        self._stale = True
        if self.isVisible():
            self.refresh()

    def refresh(self) -> None:
        """Count if anything has changed."""
        if not self._stale:
            return
        self._stale = False
        model = self._model
        second = model.second if model.is_open else None
        self.hide_button.setVisible(second is not None)
        self.changes.setVisible(second is not None)
        self._said.setVisible(second is not None)
        if second is None:
            self.agreement = None
            return
        self.agreement = agreement(model.state, second, model.face, *model.interval)
        first = model.recording.info.get("model")
        name = str(first.get("name", "recorded")) if isinstance(first, dict) else "recorded"
        where = "the whole session"
        if model.selection is not None:
            where = between(model.recording, *model.selection)
        said = agreement_words(self.agreement, model.state.title(model.face), where)
        whole = f"{said} {neutral_words(model.recording, second)}".strip()
        self._said.setText(breakable(whole))
        self.changes.show_changes(self.agreement.changes, name, second.model)

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.refresh()

    def _build(self, introduction: QLabel) -> None:
        inside = QWidget()
        inside.setObjectName("cards")
        column = QVBoxLayout(inside)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(8)
        column.addWidget(introduction)
        column.addWidget(self.choice)
        column.addWidget(self.start, 0, Qt.AlignmentFlag.AlignLeft)
        for widget in (self.progress, self._said, self.changes):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea()
        scroll.setObjectName("page")
        scroll.setAccessibleName("Comparison with another model")
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 8)
        layout.addWidget(scroll, 1)
        layout.addWidget(self.hide_button)

    def _after_opening(self) -> None:
        """Show the second reading that lies beside the session, if there is one."""
        if self._task is not None:
            self._task.stop.set()
        self._unfit = None
        self.renew()
        self._word_start()
        if not self._model.is_open:
            return
        recording = self._model.recording
        files = second_files(recording.path)
        recorded = recording.info.get("model")
        used = str(recorded.get("name", "")) if isinstance(recorded, dict) else ""
        others = [place for place in range(self.choice.count()) if
                  self.choice.itemData(place) != used]  # fmt: skip
        if others:
            self.choice.setCurrentIndex(others[0])
        if files:
            self._open(recording, files[-1])

    def _open(self, recording: Recording, file: Path) -> None:
        """Show what was read before; where that cannot be, the session can be read again."""

        def refuse(sentence: str) -> None:
            self._unfit = file
            self._word_start()
            self._host.warn(sentence)

        self._host.jobs.submit(
            lambda: read_second(file, recording),
            lambda second: self._show(recording, second),
            refuse,
        )

    def _take(self, recording: Recording, second: Second | None) -> None:
        self._task = self._unfit = None
        self.tick()
        if second is not None:
            self._show(recording, second)

    def _show(self, recording: Recording, second: Second) -> None:
        if self._model.is_open and self._model.recording is recording:
            self.choice.setCurrentIndex(max(0, self.choice.findData(second.model)))
            self._model.compare(second)

    def _fail(self, sentence: str) -> None:
        self._task = None
        self.tick()
        self._host.warn(sentence)


class ChangeTable(QWidget):
    """Draw for each label its share in both readings."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._changes: Sequence[LabelChange] = ()
        self._names = ("", "")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Change of each label")
        theme.changed.connect(self.update)

    def show_changes(self, changes: Sequence[LabelChange], first: str, second: str) -> None:
        """Show shares. first, second: the names of the models."""
        self._changes = changes
        self._names = (first, second)
        said = [f"{one.label} {_share(one.first)} and {_share(one.second)}" for one in changes]
        self.setAccessibleDescription("; ".join(said))
        self.setToolTip(f"Share of the frames.\nrecorded: {first}\nsecond: {second}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, (len(self._changes) + 1) * _ROW)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        tokens = self._theme.tokens
        right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        width = self.width()
        ends = (width - 120, width - 58, width)
        painter.setFont(font(SMALL_PX))
        painter.setPen(QColor(tokens.quiet))
        for end, words in zip(ends, ("recorded", "second", "change"), strict=True):
            painter.drawText(QRectF(end - 80, 0, 80, _ROW), right, words)
        painter.setFont(font(BODY_PX))
        for place, one in enumerate(self._changes, start=1):
            top = place * _ROW
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(label_colour(one.label, tokens))
            painter.drawRoundedRect(QRectF(0, top + 6, 10, 10), 2, 2)
            painter.setPen(QColor(tokens.text))
            painter.drawText(QRectF(16, top, 90, _ROW), Qt.AlignmentFlag.AlignVCenter, one.label)
            change = ""
            if one.first is not None and one.second is not None:
                change = f"{100 * (one.second - one.first):+.1f}".replace("-", "\N{MINUS SIGN}")
            for end, words in zip(
                ends, (_share(one.first), _share(one.second), change), strict=True
            ):
                painter.drawText(QRectF(end - 80, top, 80, _ROW), right, words)
        painter.end()


def agreement_words(found: Agreement, who: str, where: str) -> str:
    """Return in plain words how two readings agree."""
    if not found.rows:
        return f"{who}, {where}: no frame was read by both models."
    if found.same is None:
        read = amount(found.rows, "frame")
        return f"{who}, {where}: of {read} read by both models, both are sure on none."
    kappa = "" if found.kappa is None else f", Cohen's kappa {found.kappa:.2f}"
    return (
        f"{who}, {where}: of {amount(found.rows, 'frame')} read by both models, both are sure on "
        f"{found.sure:,}, and give the same label on {per_cent(found.same)} of these{kappa}."
    )


def _read(recording: Recording, task: _Task) -> Second | None:
    """Read a recording again; None when it was given up."""
    pictures = find_pictures(recording)
    if pictures is None:
        raise ReviewError(_NO_PICTURES)
    try:
        if pictures.annotated or _is_blurred(recording):
            raise ReviewError(_NO_PICTURES)
        classifier = load_model(task.model, provider="CPU")
        second = read_again(
            recording, pictures, classifier, report=task.report, stopped=task.stop.is_set
        )
    except Stopped:
        return None
    finally:
        pictures.close()
    write_second(recording.path, second)
    return second


def _is_blurred(recording: Recording) -> bool:
    video = recording.info.get("video")
    return isinstance(video, dict) and bool(video.get("blur"))


def _share(share: float | None) -> str:
    return "\N{EN DASH}" if share is None else per_cent(share)
