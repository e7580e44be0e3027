"""What a recording keeps: a small panel above the picture that stops nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QWidget,
)

from app.gui import dialogs
from app.gui.controls import Check
from app.gui.drawer import Drawer
from app.gui.keys import KeepSpace
from app.gui.place_row import PlaceRow
from app.gui.places import sessions_folder
from app.gui.theme import Theme
from app.settings import RECORDED_VIDEOS, Settings

_VIDEO_WORDS = {
    "none": "No video: numbers only",
    "raw": "The picture as it is",
    "annotated": "The picture with what is drawn on it",
    "both": "Both, as two files",
}
_CONSENT_HEIGHT = 48
_PRIVACY = {
    (False, False): "Numbers only is the most private.",
    (True, False): "Whoever sees the video can tell who is in it.",
    (True, True): "A face that the finder misses is not blurred.",
}
"""What is said of a video that is kept or not, with faces blurred or not."""


class RecordingPanel(Drawer):
    """Let folder, name, video and consent be chosen for the next recording."""

    def __init__(self, settings: Settings, theme: Theme) -> None:
        super().__init__()
        self._folder = Path(settings.recording_folder or sessions_folder())
        self._place = PlaceRow("Folder", "Change…", "Choose where recordings are kept")
        self._place.change.clicked.connect(self._choose_folder)
        self._title = QLineEdit()
        self._title.setPlaceholderText("such as P07; becomes part of the folder's name")
        self._video = QComboBox()
        for name in RECORDED_VIDEOS:
            self._video.addItem(_VIDEO_WORDS[name], name)
        self._video.setCurrentIndex(RECORDED_VIDEOS.index(settings.recording_video))
        self._blur = Check("Blur faces in it", theme)
        self._blur.setChecked(settings.recording_blur)
        self._privacy = QLabel()
        self._consent = QPlainTextEdit(settings.consent_text)
        self._consent.setTabChangesFocus(True)
        self._consent.setFixedHeight(_CONSENT_HEIGHT)
        self._consent.setPlaceholderText("Text to agree to before each recording; empty: not asked")
        self._build()
        self._video.currentIndexChanged.connect(self._dress)
        self._blur.toggled.connect(self._dress)
        self._dress()
        self.first = self._title

    @property
    def folder(self) -> Path:
        return self._folder

    @property
    def title(self) -> str:
        return self._title.text().strip()

    @property
    def consent(self) -> str:
        return self._consent.toPlainText().strip()

    @property
    def video(self) -> str:
        """Return one of `app.settings.RECORDED_VIDEOS`."""
        return str(self._video.currentData())

    @property
    def blur(self) -> bool:
        return self._blur.isChecked()

    def set_locked(self, locked: bool) -> None:
        """Refuse changes while a recording goes on."""
        for widget in (self._place.change, self._title, self._video, self._consent):
            widget.setEnabled(not locked)
        self._blur.setEnabled(not locked and self.video != "none")

    def changed_settings(self, settings: Settings) -> Settings:
        """Return the settings with what was chosen."""
        usual = self._folder == sessions_folder()
        return replace(
            settings,
            recording_folder=None if usual else str(self._folder),
            recording_video=self.video,
            recording_blur=self.blur,
            consent_text=self.consent,
        )

    def _build(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(12, 10, 12, 10)
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(6)
        video = QHBoxLayout()
        video.setSpacing(12)
        video.addWidget(self._video)
        video.addWidget(self._blur)
        video.addStretch(1)
        rows: list[tuple[str, QWidget | QHBoxLayout]] = [
            ("Folder", self._place),
            ("Name", self._title),
            ("Video", video),
            ("Consent", self._consent),
        ]
        for row, (words, part) in enumerate(rows):
            label = QLabel(words)
            label.setProperty("quiet", True)
            grid.addWidget(label, row, 0)
            if isinstance(part, QHBoxLayout):
                grid.addLayout(part, row, 1, 1, 2)
                label.setBuddy(self._video)
                self._video.setAccessibleName(words)
            else:
                grid.addWidget(part, row, 1, 1, 2)
                label.setBuddy(part)
                part.setAccessibleName(words)
        self._privacy.setProperty("quiet", True)
        self._privacy.setWordWrap(True)
        grid.addWidget(self._privacy, len(rows), 0, 1, 2)
        grid.addWidget(self.done, len(rows), 2, Qt.AlignmentFlag.AlignBottom)
        grid.setColumnStretch(1, 1)
        self._blur.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for control in (self._blur, self._video):
            control.installEventFilter(KeepSpace(control))

    def _dress(self) -> None:
        self._place.show_place(str(self._folder))
        kept = self.video != "none"
        self._blur.setEnabled(kept and self._video.isEnabled())
        self._privacy.setText(_PRIVACY[kept, kept and self.blur])

    def _choose_folder(self) -> None:
        chosen = dialogs.choose_folder(self.window(), "Keep recordings in", self._folder)
        if chosen:
            self._folder = Path(chosen)
            self._dress()
