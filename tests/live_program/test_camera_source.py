from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from app.errors import CameraLost, SourceError
from app.sources import CameraInfo, camera_list, list_cameras, open_source
from app.sources.camera import CameraSource

LONG = 10.0  # seconds; only a defect waits that long
PICTURE = np.full((480, 640, 3), 77, np.uint8)
GOOD = (True, PICTURE)
BAD = (False, None)
CAMERAS = [CameraInfo(0, "Integrated Camera"), CameraInfo(4, "USB Camera")]


class Device:
    """Stand in for `cv2.VideoCapture`, with a script of what its reads give."""

    def __init__(self, reads: Iterable[tuple[bool, Any]], *, opens: bool = True) -> None:
        self.reads: Iterator[tuple[bool, Any]] = iter(reads)
        self.opens = opens
        self.set_to: dict[int, float] = {}
        self.order: list[int] = []
        self.released = False
        self.fps = 30.0

    def isOpened(self) -> bool:
        return self.opens

    def read(self) -> tuple[bool, Any]:
        return next(self.reads)

    def get(self, prop: int, /) -> float:
        return self.fps if prop == cv2.CAP_PROP_FPS else 0.0

    def set(self, prop: int, value: float, /) -> bool:
        self.set_to[prop] = value
        self.order.append(prop)
        return True

    def release(self) -> None:
        self.released = True


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> list[CameraInfo]:
    cameras = list(CAMERAS)
    monkeypatch.setattr("app.sources.camera.system_cameras", lambda: cameras)
    return cameras


def opened(device: Device, index: int | None = 0, **wishes: Any) -> CameraSource:
    return CameraSource(index, device=lambda _: device, patience=0.05, **wishes)


def never(index: int) -> Device:
    raise AssertionError("a camera that is not there must not be tried")


def test_frames_carry_no_media_time_and_the_name_is_the_systems(plugged: list[CameraInfo]) -> None:
    with opened(Device(repeat(GOOD)), 4) as source:
        frame = source.read()
        assert frame is not None
        assert frame.media_time is None
        assert source.name == "USB Camera"
        assert source.fps == 30.0
        assert source.live


def test_without_a_number_the_first_camera_is_opened(plugged: list[CameraInfo]) -> None:
    del plugged[0]
    asked: list[int] = []

    def device(index: int) -> Device:
        asked.append(index)
        return Device(repeat(GOOD))

    CameraSource(device=device).close()
    assert asked == [4]


@pytest.mark.parametrize("reported", [0.0, -1.0, float("nan"), 1e9])
def test_a_frame_rate_nobody_knows_is_none(plugged: list[CameraInfo], reported: float) -> None:
    device = Device(repeat(GOOD))
    device.fps = reported
    assert opened(device).fps is None


def test_wishes_reach_the_camera(plugged: list[CameraInfo]) -> None:
    device = Device(repeat(GOOD))
    source = opened(device, size=(1280, 720), fps=30.0)
    assert device.set_to[cv2.CAP_PROP_FRAME_WIDTH] == 1280
    assert device.set_to[cv2.CAP_PROP_FRAME_HEIGHT] == 720
    assert device.set_to[cv2.CAP_PROP_FPS] == 30.0
    assert device.set_to[cv2.CAP_PROP_BUFFERSIZE] == 1
    assert "640 x 480" in source.notice


@pytest.mark.parametrize(
    ("wishes", "compressed"),
    [
        ({}, False),
        ({"size": (640, 480)}, False),
        ({"size": (1280, 720)}, True),
        ({"fps": 60}, True),
    ],
)
def test_large_or_fast_pictures_are_asked_for_compressed(
    plugged: list[CameraInfo],
    wishes: dict[str, Any],
    compressed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    device = Device(repeat(GOOD))
    source = opened(device, **wishes)
    assert (cv2.CAP_PROP_FOURCC in device.set_to) is compressed
    if compressed:  # the size that is possible hangs on the format
        assert device.order[0] == cv2.CAP_PROP_FOURCC
    source.close()


def test_gray_cameras_give_bgr(plugged: list[CameraInfo]) -> None:
    frame = opened(Device(repeat((True, np.full((4, 6), 9, np.uint8))))).read()
    assert frame is not None
    assert frame.image.shape == (4, 6, 3)


def test_no_camera_is_said_and_nothing_is_tried(plugged: list[CameraInfo]) -> None:
    plugged.clear()
    with pytest.raises(SourceError, match="No camera was found; plug one in"):
        CameraSource(device=never)
    with pytest.raises(
        SourceError, match=r"^camera:7 is not there, nor any other camera; plug one"
    ):
        CameraSource(7, device=never)


def test_an_index_that_is_not_there_is_answered_with_those_that_are(
    plugged: list[CameraInfo],
) -> None:
    with pytest.raises(SourceError, match="There is no camera:7") as caught:
        CameraSource(7, device=never)
    assert "camera:0 (Integrated Camera), camera:4 (USB Camera)" in str(caught.value)


def test_a_name_finds_its_camera_and_no_other(plugged: list[CameraInfo]) -> None:
    plugged[:] = [CameraInfo(0, "USB Camera"), CameraInfo(2, "Integrated Camera")]
    with opened(Device(repeat(GOOD)), 0, name="Integrated Camera") as source:
        assert source.name == "Integrated Camera"
    del plugged[1]
    for index in (None, 0):
        with pytest.raises(SourceError, match='"Integrated Camera" is not there; plug it in'):
            CameraSource(index, name="Integrated Camera", device=never)


@pytest.mark.parametrize(
    ("name", "index", "there", "meant"),
    [
        # Another of its kind was plugged in: the number that it was opened by tells.
        ("C920", 2, ["C920 (0)", "C920 (2)"], 2),
        ("C920", None, ["C920 (0)", "C920 (2)"], 0),
        # The other one is gone.
        ("C920 (2)", None, ["C920"], 0),
        ("C920 (2)", None, ["Other", "C920"], 1),
        # Both are there; a number in a name of its own stays.
        ("C920 (1)", None, ["C920 (0)", "C920 (1)"], 1),
        ("Cam (5)", None, ["Cam", "Cam (5)"], 1),
    ],
)
def test_a_camera_is_known_although_its_name_gained_or_lost_a_number(
    plugged: list[CameraInfo], name: str, index: int | None, there: list[str], meant: int
) -> None:
    plugged[:] = [
        CameraInfo(int(one[-2]) if one.startswith("C920 (") else place, one)
        for place, one in enumerate(there)
    ]
    asked: list[int] = []

    def device(number: int) -> Device:
        asked.append(number)
        return Device(repeat(GOOD))

    CameraSource(index, name=name, device=device, patience=0.05).close()
    assert asked == [meant]


def test_another_camera_takes_nobodys_place(plugged: list[CameraInfo]) -> None:
    plugged[:] = [CameraInfo(0, "C930"), CameraInfo(1, "C92")]
    with pytest.raises(SourceError, match='The camera "C920" is not there'):
        CameraSource(None, name="C920", device=never)


def test_a_source_may_name_its_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int | None, str]] = []

    def opened(index: int | None, *, name: str, **_: object) -> None:
        asked.append((index, name))

    monkeypatch.setattr("app.sources.CameraSource", opened)
    for spec in ("camera", "camera:2", "camera: USB Camera", "Camera:1080p"):
        open_source(spec)
    open_source("camera:2", camera="C920")
    assert asked == [(None, ""), (2, ""), (None, "USB Camera"), (None, "1080p"), (2, "C920")]
    with pytest.raises(SourceError, match='after "camera:" goes its number'):
        open_source("camera:")


def test_a_camera_that_is_taken_is_said(plugged: list[CameraInfo]) -> None:
    device = Device([], opens=False)
    with pytest.raises(SourceError, match="another program is using it") as caught:
        opened(device)
    assert '"Integrated Camera"' in str(caught.value)
    assert device.released


def test_a_camera_that_opens_but_sends_nothing_is_said(plugged: list[CameraInfo]) -> None:
    device = Device(repeat(BAD))
    with pytest.raises(SourceError, match="sends no picture") as caught:
        opened(device)
    assert not isinstance(caught.value, CameraLost)
    assert device.released


@pytest.mark.skipif(sys.platform != "linux", reason="device files are Linux's")
def test_a_forbidden_camera_is_said(
    plugged: list[CameraInfo], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda path: True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(SourceError, match="may not be used by this account"):
        opened(Device([], opens=False))


def test_a_few_failed_reads_are_forgiven(plugged: list[CameraInfo]) -> None:
    def stumbling() -> Iterator[tuple[bool, Any]]:
        yield GOOD
        yield BAD
        yield True, np.zeros((0, 0, 3), np.uint8)
        yield GOOD

    source = CameraSource(0, device=lambda _: Device(stumbling()), patience=LONG)
    frames = [source.read(), source.read()]
    assert [frame.index for frame in frames if frame is not None] == [0, 1]


def test_a_damaged_picture_counts_as_a_failed_read(plugged: list[CameraInfo]) -> None:
    class Stumbling(Device):
        def read(self) -> tuple[bool, Any]:
            good, image = super().read()
            if not good:
                raise cv2.error("damaged")
            return good, image

    source = CameraSource(0, device=lambda _: Stumbling([GOOD, BAD, GOOD]), patience=LONG)
    assert source.read() is not None
    assert source.read() is not None


def test_a_camera_that_stops_is_lost(plugged: list[CameraInfo]) -> None:
    source = opened(Device(chain([GOOD, GOOD], repeat(BAD))))
    assert source.read() is not None
    assert source.read() is not None
    with pytest.raises(CameraLost, match="no longer sends pictures"):
        source.read()
    source.close()
    assert source.read() is None


def test_an_unplugged_camera_is_lost_at_once(plugged: list[CameraInfo]) -> None:
    device = Device(chain([GOOD], [BAD]))  # a second failed read would run out of script
    source = CameraSource(0, device=lambda _: device, patience=LONG)
    assert source.read() is not None
    plugged.remove(CAMERAS[0])
    with pytest.raises(CameraLost):
        source.read()


def test_closing_ends_the_wait_for_a_camera_that_hangs(plugged: list[CameraInfo]) -> None:
    device = Device(chain([GOOD], repeat(BAD)))
    source = CameraSource(0, device=lambda _: device, patience=3600.0)
    source.read()
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(source.read()), daemon=True)
    thread.start()
    closer = threading.Thread(target=source.close, daemon=True)
    closer.start()
    closer.join(LONG)
    thread.join(LONG)
    assert answers == [None]
    assert device.released


def test_opencv_says_nothing_on_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if sys.platform != "linux":
        pytest.skip("opening a real index elsewhere may light up a real camera")
    monkeypatch.setattr("app.sources.camera.system_cameras", lambda: [CameraInfo(987, "Ghost")])
    with pytest.raises(SourceError, match="Ghost"):
        CameraSource(987)
    assert capfd.readouterr() == ("", "")


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SimpleNamespace:
    """Put an empty device folder and a library that counts its calls in the system's place."""
    state = SimpleNamespace(devices=tmp_path, found=[], calls=0, now=1000.0)

    def enumerate_cameras(backend: int) -> list[SimpleNamespace]:
        state.calls += 1
        assert backend == camera_list.BACKEND
        return list(state.found)

    def plug(index: int, name: str | None) -> None:
        (tmp_path / f"video{index}").touch()
        state.found.append(SimpleNamespace(index=index, name=name))

    state.plug = plug
    monkeypatch.setattr("cv2_enumerate_cameras.enumerate_cameras", enumerate_cameras)
    monkeypatch.setattr(camera_list, "_DEVICES", tmp_path)
    monkeypatch.setattr(camera_list, "_last_answer", None)
    monkeypatch.setattr(camera_list, "time", SimpleNamespace(monotonic=lambda: state.now))
    monkeypatch.setattr(sys, "platform", "linux")
    return state


def test_cameras_are_listed_by_index_with_plain_names(system: SimpleNamespace) -> None:
    system.plug(2, "USB Camera")
    system.plug(0, "Integrated Camera: Integrated C")
    system.plug(6, "Acme: Night View")
    system.plug(8, None)
    assert list_cameras() == [
        CameraInfo(0, "Integrated Camera"),
        CameraInfo(2, "USB Camera"),
        CameraInfo(6, "Acme: Night View"),
        CameraInfo(8, "Camera 8"),
    ]


def test_twins_can_be_told_apart(system: SimpleNamespace) -> None:
    system.plug(0, "C920")
    system.plug(2, "C920")
    assert [camera.name for camera in list_cameras()] == ["C920 (0)", "C920 (2)"]


def test_devices_are_asked_only_after_one_came_or_went(system: SimpleNamespace) -> None:
    system.plug(0, "One")
    for _ in range(5):
        assert len(list_cameras()) == 1
    assert system.calls == 1
    system.plug(2, "Two")
    assert len(list_cameras()) == 2
    (system.devices / "video0").unlink()
    del system.found[0]
    assert list_cameras() == [CameraInfo(2, "Two")]
    assert system.calls == 3


def test_virtual_cameras_that_start_are_seen_after_a_while(system: SimpleNamespace) -> None:
    (system.devices / "video0").touch()
    assert list_cameras() == []
    system.found.append(SimpleNamespace(index=0, name="Virtual"))
    assert list_cameras() == []
    system.now += 31.0
    assert list_cameras() == [CameraInfo(0, "Virtual")]


def test_a_changed_answer_cannot_spoil_the_next(system: SimpleNamespace) -> None:
    system.plug(0, "One")
    list_cameras().clear()
    list_cameras().clear()
    assert len(list_cameras()) == 1


@pytest.mark.parametrize("fault", [ImportError("no wheel"), OSError("driver")])
def test_a_system_that_cannot_be_asked_leaves_index_0_to_try(
    system: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, fault: Exception
) -> None:
    def refuse(backend: int) -> list[SimpleNamespace]:
        raise fault

    monkeypatch.setattr("cv2_enumerate_cameras.enumerate_cameras", refuse)
    assert list_cameras() == [CameraInfo(0, "Camera 0")]
    asked: list[int] = []

    def device(index: int) -> Device:
        asked.append(index)
        return Device(repeat(GOOD))

    make: Callable[[int | None], CameraSource] = lambda index: CameraSource(index, device=device)  # noqa: E731
    assert make(None).name == "Camera 0"
    assert make(3).name == "Camera 3"
    assert asked == [0, 3]
