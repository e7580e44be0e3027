"""The contract of every frame source, and how one is chosen."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.live.capture import whole_spec
from app.messages import Frame
from app.sources import CameraInfo, FrameSource, open_source
from app.sources.base import Pacer, as_bgr
from app.sources.camera import CameraSource
from app.sources.folder import FolderSource
from app.sources.screen import ScreenSource
from app.sources.video import VideoSource

LONG = 10.0  # seconds; only a defect waits that long


class EndlessDevice:
    """Stand in for `cv2.VideoCapture` of a healthy camera."""

    def isOpened(self) -> bool:
        return True

    def read(self) -> tuple[bool, Any]:
        return True, np.full((24, 32, 3), 90, np.uint8)

    def get(self, prop: int, /) -> float:
        return 30.0 if prop == cv2.CAP_PROP_FPS else 0.0

    def set(self, prop: int, value: float, /) -> bool:
        return True

    def release(self) -> None:
        pass


class DullScreens:
    """Stand in for `mss.MSS` with one gray screen."""

    monitors = ({"left": 0, "top": 0, "width": 64, "height": 48},) * 2

    def grab(self, monitor: Any, /) -> Any:
        return SimpleNamespace(raw=bytearray(b"\x50" * (64 * 48 * 4)), width=64, height=48)

    def close(self) -> None:
        pass


class FakeSource(FrameSource):
    """Serve three gray frames: the fake that tests of later stages may be held against."""

    name = "fake"
    live = False
    fps = None

    def __init__(self) -> None:
        self._left = 3

    def read(self) -> Frame | None:
        if self._left == 0:
            return None
        self._left -= 1
        index = 2 - self._left
        return Frame(np.zeros((4, 4, 3), np.uint8), index, time.monotonic(), index / 10)

    def close(self) -> None:
        self._left = 0


@pytest.fixture(autouse=True)
def one_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [CameraInfo(0, "Test Camera")]
    monkeypatch.setattr("app.sources.camera.system_cameras", lambda: cameras)
    monkeypatch.setattr("app.sources.screen.why_unreadable", lambda: "")


def write_video(path: Path) -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 50.0, (32, 24))
    for level in range(0, 250, 25):
        writer.write(np.full((24, 32, 3), level, np.uint8))
    writer.release()
    return path


def write_images(folder: Path) -> Path:
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((24, 32, 3), number, np.uint8))
    return folder


MAKERS: dict[str, Callable[[Path], FrameSource]] = {
    "fake": lambda place: FakeSource(),
    "camera": lambda place: CameraSource(0, device=lambda index: EndlessDevice()),
    "video": lambda place: VideoSource(write_video(place / "v.mp4"), paced=False),
    "paced video": lambda place: VideoSource(write_video(place / "v.mp4"), paced=True),
    "folder": lambda place: FolderSource(write_images(place / "f"), paced=False),
    "paced folder": lambda place: FolderSource(write_images(place / "f"), paced=True),
    "image": lambda place: FolderSource(write_images(place / "f") / "1.png", paced=False),
    "actor": lambda place: open_source("actor", paced=False),
    "screen": lambda place: ScreenSource(fps=100.0, screens=DullScreens),
}


@pytest.fixture(params=MAKERS)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> FrameSource:
    return MAKERS[request.param](tmp_path)


def test_frames_are_whole_numbered_and_in_time(source: FrameSource) -> None:
    begun = time.monotonic()
    with source:
        frames = [frame for _ in range(3) if (frame := source.read()) is not None]
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert frames
    for frame in frames:
        assert frame.image.ndim == 3
        assert not frame.image.flags.writeable
    taken = [frame.captured_at for frame in frames]
    assert taken == sorted(taken)
    assert taken[-1] <= time.monotonic()
    assert taken[-1] >= begun or source.live
    times = [frame.media_time for frame in frames if frame.media_time is not None]
    assert len(times) in (0, len(frames))
    assert times == sorted(set(times))
    assert all(moment >= 0 for moment in times)


def test_it_says_what_it_is(source: FrameSource) -> None:
    with source:
        assert source.name.strip()
        assert isinstance(source.live, bool)
        assert source.fps is None or source.fps > 0
        source.read()
        assert source.notice == ""


def test_after_close_nothing_comes_and_closing_again_is_fine(source: FrameSource) -> None:
    assert source.read() is not None
    source.close()
    source.close()
    assert source.read() is None


def test_leaving_the_with_block_closes(source: FrameSource) -> None:
    with source as entered:
        assert entered is source
    assert source.read() is None


@pytest.mark.parametrize("kind", ["fake", "video", "paced video", "folder", "image"])
def test_what_ends_stays_ended(kind: str, tmp_path: Path) -> None:
    with MAKERS[kind](tmp_path) as source:
        while source.read() is not None:
            pass
        assert source.read() is None
        assert source.notice == ""


def test_closing_ends_a_wait() -> None:
    pacer = Pacer(enabled=True)
    assert pacer.wait(0.0)
    answers: list[bool] = []
    thread = threading.Thread(target=lambda: answers.append(pacer.wait(3600.0)), daemon=True)
    thread.start()
    pacer.close()
    thread.join(LONG)
    assert answers == [False]


def test_a_pacer_that_is_off_never_waits() -> None:
    assert Pacer(enabled=False).wait(3600.0)


def test_after_a_pause_the_pace_goes_on_instead_of_rushing() -> None:
    pacer = Pacer(enabled=True)
    pacer.wait(0.0)
    time.sleep(1.3)
    pacer.wait(0.1)
    begun = time.monotonic()
    pacer.wait(0.3)
    assert time.monotonic() - begun >= 0.15  # catching up would take no time at all


def test_after_a_short_pause_nothing_is_made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    now, waits = [100.0], list[float]()
    monkeypatch.setattr("app.sources.base.time", SimpleNamespace(monotonic=lambda: now[0]))
    pacer = Pacer(enabled=True)
    monkeypatch.setattr(pacer._closed, "wait", waits.append)
    pacer.delay(5.0)
    pacer.wait(0.0)
    now[0] += 0.8
    pacer.delay(0.8)
    pacer.wait(0.2)
    pacer.wait(0.3)
    assert waits == pytest.approx([0.0, 0.2, 0.3])


@pytest.mark.parametrize(
    "image",
    [
        np.full((2, 3), 200, np.uint8),
        np.full((2, 3, 1), 200, np.uint8),
        np.full((2, 3, 4), 200, np.uint8),
        np.full((2, 3), 200 * 257, np.uint16),
        np.full((2, 3, 3), 200 * 257, np.uint16),
    ],
)
def test_any_picture_becomes_bgr(image: Any) -> None:
    picture = as_bgr(image)
    assert picture.shape == (2, 3, 3)
    assert picture.dtype == np.uint8
    assert (picture == 200).all()


def test_each_word_and_path_opens_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int | None] = []

    class Recorder(EndlessDevice):
        def __init__(self, index: int, backend: int) -> None:
            asked.append(index)

    monkeypatch.setattr("cv2.VideoCapture", Recorder)
    for spec in ("camera", "camera:0", "Camera:0"):
        with open_source(spec) as camera:
            assert camera.live
            assert camera.name == "Test Camera"
    assert asked == [0, 0, 0]
    monkeypatch.undo()

    folder = write_images(tmp_path / "pictures")
    assert open_source(str(folder)).name == "pictures"
    assert open_source(str(folder / "1.png")).name == "1.png"
    with open_source(str(write_video(tmp_path / "clip.mp4")), paced=False) as video:
        assert isinstance(video, VideoSource)


def test_a_file_with_the_name_of_a_word_can_be_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path / "camera")
    monkeypatch.chdir(tmp_path)
    assert isinstance(open_source("./camera"), FolderSource)


def test_home_is_understood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_images(tmp_path / "faces")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert open_source("~/faces").name == "faces"


def test_a_name_that_begins_with_the_sign_of_home_is_no_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_images(tmp_path / "~faces")
    monkeypatch.chdir(tmp_path)
    assert open_source("./~faces").name == "~faces"
    assert whole_spec("./~faces") == str(tmp_path / "~faces")


def refusal(spec: str) -> str:
    with pytest.raises(SourceError) as caught:
        open_source(spec)
    sentence = str(caught.value)
    assert sentence.endswith((".", "?"))
    assert "\n" not in sentence
    return sentence


def test_a_slip_in_a_path_is_answered_with_the_nearest_name(tmp_path: Path) -> None:
    video = write_video(tmp_path / "Interview.mp4")
    assert f'did you mean "{video}"' in refusal(str(tmp_path / "intervew.mp4"))
    assert "did you mean" not in refusal(str(tmp_path / "zebra.avi"))
    assert str(tmp_path / "nowhere") in refusal(str(tmp_path / "nowhere" / "a.mp4"))


def test_a_slip_in_a_word_is_answered_with_the_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert 'did you mean "camera"' in refusal("camrea")
    assert 'did you mean "actor"' in refusal("actr")
    assert "camera:0" in refusal("0")


@pytest.mark.parametrize("spec", ["camera:", "camera: "])
def test_a_camera_without_a_number_or_name_is_said(spec: str) -> None:
    assert spec in refusal(spec)


def test_no_source_and_addresses_and_impossible_paths_are_said() -> None:
    assert "camera:N" in refusal(" ")
    assert "address" in refusal("https://example.org/a.mp4")
    assert "There is no" in refusal("a\0b")
    assert "path" in refusal("x" * 5000)
