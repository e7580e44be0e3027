"""Whether the picture is mirrored: of cameras people expect it, of files they do not."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction

from app.gui.face_panel import FacePanel
from app.gui.video_view import VideoView


class Mirror(QObject):
    """Mirror what plays; what is chosen for cameras and for files is each remembered.

    for_cameras: what is chosen for them.
    """

    def __init__(
        self, action: QAction, video: VideoView, panel: FacePanel, *, for_cameras: bool
    ) -> None:
        super().__init__()
        self.for_cameras = for_cameras
        self._for_files = False
        self._camera_plays = True
        self._action = action
        self._video, self._panel = video, panel
        action.toggled.connect(self._set)
        self.suit(camera=True)

    def suit(self, *, camera: bool) -> None:
        """Mirror as was chosen for what plays now. camera: it is one."""
        self._camera_plays = camera
        self._action.setChecked(self.for_cameras if camera else self._for_files)

    def _set(self, mirrored: bool) -> None:
        if self._camera_plays:
            self.for_cameras = mirrored
        else:
            self._for_files = mirrored
        self._video.set_mirrored(mirrored)
        self._panel.set_mirrored(mirrored)
