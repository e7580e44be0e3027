"""How inputs are analysed: the choices at the side."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import (
    QCheckBox,
    QFrame,
    QLabel,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from app.analysis.parts import AnalysisOptions
from app.analysis.plan import MOST_WORKERS
from app.gui.base_rates_menu import EVEN_TIP
from app.gui.controls import Check, Choice, Number
from app.gui.elided import Elided
from app.gui.help_texts import model_name
from app.gui.keys import KeepSpace
from app.gui.menus import FINDER_WORDS
from app.gui.plain import plain_tip
from app.gui.theme import HEAD_PX, Theme, font
from app.gui.wheel import LeaveWheel
from app.settings import FINDERS
from models.runtime.base_rates import AS_MEASURED, BaseRates, in_brief
from models.runtime.store import ModelEntry

OWN_MODEL = "Another model file…"
_TABLES = {
    "parquet": "Parquet only",
    "csv": "Parquet and CSV",
    "jsonl": "Parquet and JSON lines",
}
_WIDTH = 264


class OptionsPanel(QScrollArea):
    """Ask how inputs are analysed, and where results go.

    own_model: the user wants to choose a file. The choices stand still while something runs.
    """

    own_model = Signal()

    def __init__(self, models: Sequence[ModelEntry], choose_output: QAction, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("analyseOptions")
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(_WIDTH)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.model = _choice("Model", "Which model reads the faces")
        for entry in models:
            self.model.addItem(model_name(entry.card), entry.name)
        self.model.addItem(OWN_MODEL, None)
        self.model.activated.connect(self._model_picked)
        self._model_before = 0
        self.rates = _choice("Base rates", "How common each expression is taken to be")
        self.rates.addItem("As measured", AS_MEASURED)
        self.rates.addItem("Each expression alike", BaseRates(even=True))
        self.rates.setItemData(1, EVEN_TIP, Qt.ItemDataRole.ToolTipRole)
        self.finder = _choice("Face finder", "How faces are found")
        for place, name in enumerate(FINDERS):
            self.finder.addItem(FINDER_WORDS[name].partition(":")[0], name)
            self.finder.setItemData(place, FINDER_WORDS[name], Qt.ItemDataRole.ToolTipRole)
        self.every = _number(theme, "Frames to read", 1, 1000, "All frames, or only one in so many")
        self.every.setSpecialValueText("all")
        self.every.setPrefix("one in ")
        self.workers = _number(theme, "Workers", 1, MOST_WORKERS, "Programs that work side by side")
        self.workers.setValue(max(1, (os.cpu_count() or 1) // 2))
        self.table = _choice("Table", "A Parquet table is always written")
        for name, words in _TABLES.items():
            self.table.addItem(words, name)
        self.video = Check("Video with the findings on it", theme)
        self.video.setToolTip("Write each video once more, with boxes and labels drawn")
        self.output = QLabel()
        self._output = Elided(self.output, Qt.TextElideMode.ElideMiddle)
        self.output.setProperty("quiet", True)
        self.output.setAccessibleName("Results go to")
        self._choose = QPushButton("Change…")
        self._choose.setToolTip(choose_output.toolTip())
        self._choose.clicked.connect(choose_output.trigger)
        self._build()

    def options(self, yunet_file: Path | None) -> AnalysisOptions:
        """Return what is chosen."""
        finder = str(self.finder.currentData())
        return AnalysisOptions(
            model=self.model.currentData(),
            finder=finder,
            yunet_file=yunet_file if finder == "yunet" else None,
            base_rates=self.rates.currentData(),
            every=self.every.value(),
            video=self.video.isChecked(),
            table=str(self.table.currentData()),
        )

    def use_model(self, name_or_path: str) -> None:
        """Choose a bundled model by name, or a file, which is added."""
        place = self.model.findData(name_or_path)
        if place < 0:
            place = self.model.count() - 1
            self.model.insertItem(place, Path(name_or_path).name, name_or_path)
            self.model.setItemData(place, plain_tip(name_or_path), Qt.ItemDataRole.ToolTipRole)
        self.model.setCurrentIndex(place)
        self._model_before = place

    def use_base_rates(self, rates: BaseRates) -> None:
        """Choose base rates; others than the usual ones are added."""
        known = [self.rates.itemData(place) for place in range(self.rates.count())]
        if rates not in known:
            known.append(rates)
            words = in_brief(rates)
            self.rates.addItem(words[0].upper() + words[1:], rates)
        self.rates.setCurrentIndex(known.index(rates))

    def set_output(self, folder: Path) -> None:
        """Show where results go."""
        self._output.show(str(folder))
        self.output.setToolTip(plain_tip(str(folder)))
        self.output.setAccessibleDescription(str(folder))

    def set_running(self, running: bool) -> None:
        """Let choices be made, or not."""
        for widget in (
            self.model, self.rates, self.finder, self.every, self.workers, self.table, self.video,
            self._choose,
        ):  # fmt: skip
            widget.setEnabled(not running)

    def _build(self) -> None:
        inside = QWidget()
        inside.setObjectName("analyseInside")
        column = QVBoxLayout(inside)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(4)
        for title, widgets in (
            ("How to read", (self.model, self.rates, self.finder, self.every)),
            ("What to write", (self.table, self.video)),
            ("How fast", (self.workers,)),
        ):
            head = QLabel(title)
            head.setFont(font(HEAD_PX, bold=True))
            column.addWidget(head)
            for widget in widgets:
                if not isinstance(widget, QCheckBox):
                    label = QLabel(widget.accessibleName())
                    label.setProperty("quiet", True)
                    label.setBuddy(widget)
                    column.addSpacing(4)
                    column.addWidget(label)
                column.addWidget(widget)
            column.addSpacing(16)
        head = QLabel("Results go to")
        head.setFont(font(HEAD_PX, bold=True))
        column.addWidget(head)
        column.addWidget(self.output)
        column.addSpacing(4)
        column.addWidget(self._choose, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)
        for control in (self.every, self.workers, self.video, self._choose):
            control.installEventFilter(KeepSpace(control))
        self.setWidget(inside)

    def _model_picked(self, place: int) -> None:
        if self.model.itemData(place) is None:
            self.model.setCurrentIndex(self._model_before)
            self.own_model.emit()
        else:
            self._model_before = place


def _choice(name: str, tip: str) -> Choice:
    made = Choice(name)
    made.setToolTip(tip)
    return made


def _number(theme: Theme, name: str, least: int, most: int, tip: str) -> QSpinBox:
    made = Number(theme)
    made.setRange(least, most)
    made.lineEdit().setTextMargins(6, 0, 0, 0)
    made.setAccessibleName(name)
    made.setToolTip(tip)
    LeaveWheel(made)
    return made
