"""Whether the picture is mirrored: of cameras people expect it, of all else they do not."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.gui.face_panel import FacePanel
from app.gui.video_view import VideoView
from app.messages import Frame
from app.sources import is_screen


class Mirror(QObject):
    """Mirror what plays; what is chosen for cameras and for all else is each remembered.

    for_cameras: what is chosen for them.
    """

    def __init__(
        self, action: QAction, video: VideoView, panel: FacePanel, *, for_cameras: bool
    ) -> None:
        super().__init__()
        self.for_cameras = for_cameras
        self._for_others = False
        self._camera_plays = True
        self._action = action
        self._video, self._panel = video, panel
        action.toggled.connect(self._set)
        self._action.setChecked(for_cameras)
        self._set(for_cameras)

    def suit(self, frame: Frame, spec: str) -> None:
        """Mirror as was chosen for what plays now: this frame, of a source opened by `spec`."""
        self._camera_plays = frame.media_time is None and not is_screen(spec)
        self._action.setChecked(self.for_cameras if self._camera_plays else self._for_others)

    def _set(self, mirrored: bool) -> None:
        if self._camera_plays:
            self.for_cameras = mirrored
        else:
            self._for_others = mirrored
        self._video.set_mirrored(mirrored)
        self._panel.set_mirrored(mirrored)
