"""Read the session again with another model, and see what changes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from app.gui.controls import Choice
from app.gui.elided import breakable
from app.gui.help_texts import model_name
from app.gui.keys import KeepSpace
from app.gui.plain import plain_label
from app.gui.review.change_table import ChangeTable
from app.gui.review.lazy_page import LazyPage
from app.gui.review.model import ReviewModel
from app.gui.workspace import Host
from app.review.compare import Agreement, agreement, neutral_words
from app.review.look_again import model_of
from app.review.pictures import Pictures, find_pictures, is_clean, no_clean_pictures
from app.review.recording import Recording, ReviewError
from app.review.second import (
    Second,
    Stopped,
    read_again,
    read_second,
    reweigh,
    reweighed_name,
    second_file,
    second_files,
    write_second,
)
from app.review.words import between
from app.words import amount, per_cent
from models.runtime.base_rates import BaseRates
from models.runtime.store import load_model

_INTRODUCTION = (
    "Have another model read the same faces on the same pictures, or let the same one go by other "
    "base rates, and see where the two differ. The recording stays as it is."
)


_NO_PICTURES = no_clean_pictures("a model needs them to read it again")
_RATES_TIP = "The session's own model with other base rates; needs no pictures"
_KAPPA = "Agreement beyond what chance would give: {:.2f}, where 0 is none and 1 is full"
_KAPPA_TIP = (
    "Cohen's kappa. Two models that both say neutral most of the time often agree by chance alone; "
    "this takes that out."
)


@dataclass(slots=True)
class _Task:
    """Hold a second reading on its way. rates: of the session's own model, None for another."""

    model: str
    rates: BaseRates | None = None
    stop: threading.Event = field(default_factory=threading.Event)
    done: int = 0
    total: int = 0

    def report(self, done: int, total: int) -> None:
        self.done, self.total = done, total


class CompareTab(LazyPage):
    """Start second readings and show how they agree with the recorded one."""

    def __init__(self, model: ReviewModel, host: Host) -> None:
        super().__init__()
        self._model = model
        self._host = host
        self._task: _Task | None = None
        self._unfit: Path | None = None
        self._unreadable = ""
        self._rates: dict[str, BaseRates] = {}
        self.agreement: Agreement | None = None
        self.choice = Choice("Model of the second reading")
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
        self._introduction = _quiet(_INTRODUCTION)
        self.reason = _quiet(_NO_PICTURES)
        self._said = plain_label()
        self._said.setWordWrap(True)
        self._said.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._beyond_chance = _quiet("")
        self._beyond_chance.setToolTip(_KAPPA_TIP)
        self.changes = ChangeTable(host.theme)
        self._build()
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
        name = str(self.choice.currentData())
        task = _Task(name, self._rates.get(name))
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
        needs_pictures = str(self.choice.currentData()) not in self._rates
        cannot = words == "Read again" and needs_pictures and bool(self._unreadable)
        self.start.setText(words)
        self.start.setToolTip(self._unreadable if cannot else tip)
        self.start.setEnabled(not cannot)
        self.reason.setVisible(cannot)

    def _kept(self) -> Path | None:
        """Return the file of what the chosen model read before, None where that is shown."""
        model = str(self.choice.currentData())
        file = second_file(self._model.recording.path, model)
        shown = self._model.second is not None and self._model.second.model == model
        return file if file.is_file() and not shown and file != self._unfit else None

    def close_down(self) -> None:
        if self._task is not None:
            self._task.stop.set()

    def _bring_up_to_date(self) -> None:
        """Count and show what was counted."""
        model = self._model
        second = model.second if model.is_open else None
        self._introduction.setVisible(second is None)
        for widget in (self._said, self._beyond_chance, self.changes, self.hide_button):
            widget.setVisible(second is not None)
        if second is None:
            self.agreement = None
            return
        self.agreement = agreement(model.state, second, model.face, *model.interval)
        where = "the whole session"
        if model.selection is not None:
            where = between(model.recording, *model.selection)
        said = agreement_words(self.agreement, model.state.title(model.face), where)
        whole = f"{said} {neutral_words(model.recording, second)}".strip()
        self._said.setText(breakable(whole))
        kappa = self.agreement.kappa
        self._beyond_chance.setText("" if kappa is None else _KAPPA.format(kappa))
        self._beyond_chance.setVisible(kappa is not None)
        self.changes.show_changes(self.agreement.changes, model.recorded_title, model.second_title)

    def _build(self) -> None:
        inside = QWidget()
        inside.setObjectName("cards")
        column = QVBoxLayout(inside)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.addWidget(self.choice, 1)
        row.addWidget(self.start)
        column.addWidget(self._introduction)
        column.addLayout(row)
        for widget in (
            self.reason, self.progress, self._said, self.changes, self._beyond_chance,
        ):  # fmt: skip
            column.addWidget(widget)
        column.addWidget(self.hide_button, 0, Qt.AlignmentFlag.AlignLeft)
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

    def _after_opening(self) -> None:
        """Show the second reading that lies beside the session, if there is one."""
        if self._task is not None:
            self._task.stop.set()
        self._unfit, self._unreadable = None, ""
        self.renew()
        self._word_start()
        if not self._model.is_open:
            return
        recording = self._model.recording
        self._host.jobs.submit(
            lambda: _why_unreadable(recording),
            lambda why: self._learn(recording, why),
            self._host.warn,
        )
        files = second_files(recording.path)
        self._offer_rates(recording)
        own = {recording.model_name, *self._rates}
        others = [place for place in range(self.choice.count()) if
                  self.choice.itemData(place) not in own]  # fmt: skip
        if others:
            self.choice.setCurrentIndex(others[0])
        if files:
            self._open(recording, files[-1])

    def _offer_rates(self, recording: Recording) -> None:
        """Offer the session's own model with base rates other than it had, before the others."""
        for name in self._rates:
            self.choice.removeItem(self.choice.findData(name))
        # What was left out has no probabilities that could be brought back.
        rates = recording.base_rates.spread(even=not recording.base_rates.even)
        used = recording.model_name
        self._rates = {reweighed_name(used, rates): rates} if used else {}
        for name in self._rates:
            words = "Even base rates" if rates.even else "Rates as measured"
            self.choice.insertItem(0, words, name)
            self.choice.setItemData(0, _RATES_TIP, Qt.ItemDataRole.ToolTipRole)

    def _learn(self, recording: Recording, why: str) -> None:
        """Remember why a session cannot be read again, "" where it can."""
        if self._model.is_open and self._model.recording is recording:
            self._unreadable = why
            self._word_start()

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


def agreement_words(found: Agreement, who: str, where: str) -> str:
    """Return in plain words how two readings agree."""
    if not found.rows:
        return f"{who}, {where}: no frame was read by both models."
    if found.same is None:
        read = amount(found.rows, "frame")
        return f"{who}, {where}: of {read} read by both models, both are sure on none."
    return (
        f"{who}, {where}: both models are sure on {found.sure:,} of {amount(found.rows, 'frame')} "
        f"and give the same label on {per_cent(found.same)} of these."
    )


def _read(recording: Recording, task: _Task) -> Second | None:
    """Read a recording again; None when it was given up."""
    if task.rates is not None:
        second = reweigh(recording, model_of(recording, task.rates))
        write_second(recording.path, second)
        return second
    pictures = _clean_pictures(recording)
    if pictures is None:
        raise ReviewError(_NO_PICTURES)
    try:
        # Only the model is to differ.
        classifier = load_model(task.model, provider="CPU", base_rates=recording.base_rates)
        second = read_again(
            recording, pictures, classifier, report=task.report, stopped=task.stop.is_set
        )
    except Stopped:
        return None
    finally:
        pictures.close()
    write_second(recording.path, second)
    return second


def _clean_pictures(recording: Recording) -> Pictures | None:
    """Return the pictures that a model can read, None where nothing is left or it is drawn over."""
    pictures = find_pictures(recording)
    if pictures is not None and not is_clean(pictures, recording):
        pictures.close()
        return None
    return pictures


def _why_unreadable(recording: Recording) -> str:
    pictures = _clean_pictures(recording)
    if pictures is None:
        return _NO_PICTURES
    pictures.close()
    return ""


def _quiet(text: str) -> QLabel:
    label = plain_label(text)
    label.setWordWrap(True)
    label.setProperty("quiet", True)
    return label
