"""The screen as a source, on screens that are made up."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app import main as fer_app
from app.errors import CameraLost, SourceError
from app.live.capture import whole_spec
from app.sources import is_camera, is_device, is_screen, open_source
from app.sources.screen import Area, ScreenSource, list_screens, why_unreadable

LEFT = {"left": -200, "top": 0, "width": 200, "height": 100}
MAIN = {"left": 0, "top": 0, "width": 320, "height": 240, "is_primary": True}
BOTH = {"left": -200, "top": 0, "width": 520, "height": 240}


class MadeUpScreens:
    """Show a picture whose blue is the row and whose green is the column, of the area asked for."""

    def __init__(self, *monitors: Mapping[str, Any]) -> None:
        self.monitors = [BOTH, *(monitors or (LEFT, MAIN))]
        self.sharpness = 1
        self.locked = False
        self.closed = False

    def grab(self, monitor: Any, /) -> Any:
        if self.locked:
            raise OSError("no picture")
        assert not self.closed
        width, height = monitor["width"] * self.sharpness, monitor["height"] * self.sharpness
        picture = np.zeros((height, width, 4), np.uint8)
        picture[..., 0] = (np.arange(height) + monitor["top"])[:, None] % 256
        picture[..., 1] = (np.arange(width) + monitor["left"])[None] % 256
        picture[..., 2] = 7
        return SimpleNamespace(raw=bytearray(picture.tobytes()), width=width, height=height)

    def close(self) -> None:
        self.closed = True


@pytest.fixture(autouse=True)
def _a_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.sources.screen.sys", SimpleNamespace(platform="linux"))
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":0")


@pytest.mark.parametrize(
    ("where", "name", "shape", "first"),
    [
        ("", "Screen, 320 x 240", (240, 320, 3), [0, 0, 7]),
        ("1", "Screen, 200 x 100", (100, 200, 3), [0, 56, 7]),
        ("2", "Screen, 320 x 240", (240, 320, 3), [0, 0, 7]),
        ("-200,0,200x100", "Screen, 200 x 100", (100, 200, 3), [0, 56, 7]),
        ("-20,10,64x50", "Part of the screen, 64 x 50", (50, 64, 3), [10, 236, 7]),
    ],
)
def test_it_shows_the_place_that_was_asked_for(
    where: str, name: str, shape: tuple[int, ...], first: list[int]
) -> None:
    with ScreenSource(where, screens=MadeUpScreens) as source:
        frames = [source.read(), source.read()]
        assert source.live
        assert source.name == name
        assert source.properties["width"] == shape[1]
    for number, frame in enumerate(frames):
        assert frame is not None
        assert (frame.index, frame.live, frame.media_time) == (number, True, None)
        assert frame.image.shape == shape
        assert frame.image[0, 0].tolist() == first
        assert frame.image[1, 2].tolist() == [first[0] + 1, (first[1] + 2) % 256, 7]


def test_it_keeps_its_pace() -> None:
    with ScreenSource(fps=50.0, screens=MadeUpScreens) as source:
        begun = time.monotonic()
        for _ in range(11):
            assert source.read() is not None
        assert time.monotonic() - begun >= 0.19
        assert source.fps == 50.0


def test_a_picture_of_more_pixels_than_can_be_used_is_made_smaller() -> None:
    screens = MadeUpScreens()
    screens.sharpness = 8  # 2560 x 1920
    with ScreenSource(screens=lambda: screens) as source:
        frame = source.read()
    assert frame is not None
    height, width = frame.image.shape[:2]
    assert height * width <= 1920 * 1200
    assert width / height == pytest.approx(4 / 3, abs=0.01)


def test_a_locked_screen_is_waited_for_like_a_lost_camera() -> None:
    screens = MadeUpScreens()
    with ScreenSource(screens=lambda: screens) as source:
        assert source.read() is not None
        screens.locked = True
        with pytest.raises(CameraLost, match="can no longer be read; unlock it"):
            source.read()
    assert source.read() is None
    refused = MadeUpScreens()
    refused.locked = True
    with pytest.raises(SourceError, match=r"could not be read \(OSError\)"):
        ScreenSource(screens=lambda: refused)
    assert screens.closed
    assert refused.closed


def test_the_screen_is_let_go_on_the_thread_that_reads_it() -> None:
    screens = MadeUpScreens()
    source = ScreenSource(fps=0.1, screens=lambda: screens)
    assert source.read() is not None
    other = threading.Timer(0.2, source.close)
    other.start()
    begun = time.monotonic()
    assert source.read() is None
    assert time.monotonic() - begun < 5
    other.join()
    assert screens.closed


@pytest.mark.parametrize(
    ("where", "said"),
    [
        (
            "3",
            r"There is no screen:3; this computer has screen:1 \(200 x 100 at -200,0\), screen:2",
        ),
        ("0", "There is no screen:0"),
        ("left", '"screen:left" names no part of the screen; expected "screen", "screen:N" or'),
        ("1,2,3", "names no part of the screen"),
        ("0,0,20x200", "too small: expected at least 48 x 48 pixels, found 20 x 200"),
        ("300,0,100x100", "is not all on the screen; this computer has screen:1"),
    ],
)
def test_a_place_that_is_not_there_is_a_sentence(where: str, said: str) -> None:
    screens = MadeUpScreens()
    with pytest.raises(SourceError, match=said):
        ScreenSource(where, screens=lambda: screens)
    assert screens.closed


def test_where_no_screen_can_be_read_it_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    assert why_unreadable() == ""
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    with pytest.raises(SourceError, match=r"This desktop \(Wayland\).* virtual camera"):
        ScreenSource(screens=MadeUpScreens)
    monkeypatch.delenv("WAYLAND_DISPLAY")
    monkeypatch.delenv("DISPLAY")
    with pytest.raises(SourceError, match="There is no screen to read here"):
        open_source("screen")
    monkeypatch.setattr("app.sources.screen.sys", SimpleNamespace(platform="win32"))
    assert why_unreadable() == ""


def test_the_word_opens_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        ScreenSource.__init__, "__kwdefaults__", {"fps": None, "screens": MadeUpScreens}
    )
    for spec in ("screen", "Screen:2", "screen:0,0,64x64"):
        assert is_screen(spec)
        assert is_device(spec)
        assert not is_camera(spec)
        assert whole_spec(spec) == spec
        with open_source(spec, fps=5.0) as source:
            assert isinstance(source, ScreenSource)
            assert source.fps == 5.0
    assert not is_screen("./screen")
    assert not is_screen("screens")


def test_an_area_is_read_as_it_is_written() -> None:
    area = Area(-1920, 20, 1280, 720)
    assert area.spec == "screen:-1920,20,1280x720"
    assert Area.parse(area.spec.removeprefix("screen:")) == area
    assert Area.parse("1,2,3") is None


def test_screens_are_listed_as_they_are_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = MadeUpScreens()
    assert list_screens(lambda: made) == [Area(-200, 0, 200, 100), Area(0, 0, 320, 240)]
    assert made.closed
    monkeypatch.setattr("mss.MSS", MadeUpScreens)
    assert fer_app.main(["--list-screens"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "screen:1   200 x 100 at -200,0",
        "screen:2   320 x 240 at 0,0",
    ]


def test_without_a_desktop_no_screen_is_listed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DISPLAY")
    assert fer_app.main(["--list-screens"]) == 2
    assert "no screen to read" in capsys.readouterr().err
