"""The overlays: what is drawn, where, and how it comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from app.messages import Box
from app.overlays import OVERLAYS, BoxOverlay, LandmarksOverlay, Viewport, render
from app.overlays.base import Fader, line_width, text_size
from app.palette import DISPLAY_ORDER
from models.runtime.labels import FER2013

if TYPE_CHECKING:
    from tests.live_program.conftest import Easel

# Golden pictures


@pytest.mark.parametrize(
    ("name", "text_rows"), [("attention", 0), ("landmarks", 0), ("boxes", 70), ("bars", 230)]
)
def test_each_overlay_looks_as_before(easel: Easel, name: str, text_rows: int) -> None:
    face = easel.face(cam=easel.cam("happiness", 2, 1), angle=0.1)
    easel.compare(name, easel.drawn([OVERLAYS[name]()], face, image=easel.gradient()), text_rows)


def test_several_faces_look_as_before(easel: Easel) -> None:
    faces = (
        easel.face((90, 110), 110, cam=easel.cam("happiness", 2, 1)),
        easel.face(
            (250, 90), 90, label="surprise", track=12, landmarks=easel.five, confidence=0.997
        ),
        easel.face((390, 240), 120, label="unsure", track=3, confidence=0.31, labels=FER2013),
    )
    easel.compare("faces", easel.drawn(easel.every_overlay(), *faces, image=easel.gradient()), 300)
    mirrored = easel.drawn(
        easel.every_overlay(), *faces, image=easel.gradient(), size=(800, 600), mirrored=True
    )
    easel.compare("faces_mirrored", mirrored, 520)


# The picture


def test_render_resizes_and_leaves_the_frame_alone(easel: Easel) -> None:
    image = easel.gradient()
    before = image.copy()
    canvas = easel.drawn(easel.every_overlay(), easel.face(), image=image, size=(800, 600))
    assert canvas.shape == (600, 800, 3)
    assert np.array_equal(image, before)


def test_render_mirrors_the_picture(easel: Easel) -> None:
    image = easel.gradient()
    for size in ((400, 300), (200, 150), (800, 600)):
        straight = easel.drawn([], image=image, size=size)
        assert np.array_equal(
            straight[:, ::-1], easel.drawn([], image=image, size=size, mirrored=True)
        )


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_face_leaves_the_picture_as_it_is(easel: Easel, name: str) -> None:
    assert np.array_equal(easel.drawn([OVERLAYS[name]()]), easel.grey())


@pytest.mark.parametrize("name", ["boxes", "bars"])
def test_text_reads_forward_in_a_mirror(easel: Easel, name: str) -> None:
    there, mirror_image = easel.face((120, 150)), easel.face((400 - 120, 150))
    mirrored = easel.drawn([OVERLAYS[name]()], there, mirrored=True)
    straight = easel.drawn([OVERLAYS[name]()], mirror_image)
    assert (mirrored != easel.grey()).any()
    # Alike but for half a pixel, where the crop's centre turns about a pixel's.
    assert np.abs(mirrored.astype(int) - straight).mean() < 0.2


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1280, 720), (3840, 2160)])
def test_nothing_is_drawn_outside_the_picture(easel: Easel, size: tuple[int, int]) -> None:
    width, height = size
    labels = ("an expression with a very long name indeed", *DISPLAY_ORDER)
    cam = np.ones((len(labels), 3, 3), np.float32)
    surrounded = np.full((height + 80, width + 80, 3), 77, np.uint8)
    canvas = surrounded[40:-40, 40:-40]
    canvas[:] = 200
    corners = [(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)]
    faces = [
        easel.face(corner, height * 0.6, label=labels[0], labels=labels, track=number, cam=cam)
        for number, corner in enumerate([*corners, (-width, 10)], start=98)
    ]
    for overlay in easel.every_overlay():
        overlay.draw(canvas, easel.at(0, *faces), Viewport(1, False, width))
    inside = surrounded.copy()
    inside[40:-40, 40:-40] = 77
    assert (inside == 77).all()
    assert (canvas != 200).any()


@pytest.mark.parametrize("mirrored", [False, True])
def test_points_follow_the_pixels_of_the_frame(easel: Easel, mirrored: bool) -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[7, 11] = 255
    canvas = easel.drawn([], image=image, size=(400, 300), mirrored=mirrored)
    y, x = np.nonzero(canvas[..., 0] > 200)
    view = Viewport(10, mirrored, 400)
    assert view.to_canvas([11, 7]) == pytest.approx([x.mean(), y.mean()], abs=0.5)
    box = view.box_to_canvas(Box(11, 7, 12, 8))
    assert box.centre == pytest.approx((x.mean() + 0.5, y.mean() + 0.5), abs=0.5)


@pytest.mark.parametrize(
    ("height", "ratio", "line", "text"),
    [(240, 1, 2, 14), (720, 1, 2, 16), (2160, 1, 6, 48), (480, 2, 4, 28)],
)
def test_lines_and_text_grow_with_the_picture(
    easel: Easel, height: int, ratio: float, line: float, text: int
) -> None:
    canvas, view = easel.grey(height * 4 // 3, height), Viewport(1, False, height * 4 // 3, ratio)
    assert line_width(canvas, view) == pytest.approx(line)
    assert text_size(canvas, view) == text


# Coming and going


def test_a_face_comes_and_goes_within_the_fade(easel: Easel) -> None:
    fader = Fader(0.12)
    face = easel.face()
    fader.faces(easel.at(1.00))
    levels = [fader.faces(easel.at(time, face))[0][1] for time in (1.03, 1.06, 1.12, 1.20)]
    assert levels == pytest.approx([0.25, 0.5, 1, 1])
    leaving = [fader.faces(easel.at(time)) for time in (1.23, 1.29, 1.33)]
    assert [level for (_, level), *_ in leaving[:2]] == pytest.approx([0.75, 0.25])
    assert leaving[2] == []


def test_the_first_frame_and_a_jump_back_show_all_at_once(easel: Easel) -> None:
    fader = Fader(0.12)
    assert fader.faces(easel.at(5, easel.face(track=1)))[0][1] == 1
    faces = fader.faces(easel.at(2, easel.face(track=2)))
    assert [(face.face.track_id, level) for face, level in faces] == [(2, 1.0)]


def test_drawing_a_frame_again_changes_nothing(easel: Easel) -> None:
    overlay = BoxOverlay()
    size = (400, 300)
    render(easel.at(1), size=size, overlays=[overlay])
    coming = easel.at(1.05, easel.face())
    first = render(coming, size=size, overlays=[overlay])
    assert np.array_equal(first, render(coming, size=size, overlays=[overlay]))
    full = easel.drawn([BoxOverlay()], easel.face())
    change = (
        np.abs(first.astype(int) - easel.grey()).sum()
        / np.abs(full.astype(int) - easel.grey()).sum()
    )
    assert change == pytest.approx(0.05 / 0.12, abs=0.05)


def test_faces_without_a_track_and_without_fading_are_there_at_once(easel: Easel) -> None:
    fader = Fader(0.12)
    fader.faces(easel.at(1))
    assert fader.faces(easel.at(1.01, easel.face(track=None)))[0][1] == 1
    still = Fader(0)
    still.faces(easel.at(1))
    assert still.faces(easel.at(1.01, easel.face()))[0][1] == 1
    assert still.faces(easel.at(1.02)) == []


# Landmarks


@pytest.mark.parametrize("kind", ["five", "sixty_eight"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_landmarks_are_drawn_where_they_lie(easel: Easel, kind: str, mirrored: bool) -> None:
    face = easel.face((200, 150), 240, landmarks=getattr(easel, kind))
    canvas = easel.drawn([LandmarksOverlay()], face, image=easel.grey(value=90), mirrored=mirrored)
    assert face.face.landmarks is not None
    for x, y in Viewport(1, mirrored, 400).to_canvas(face.face.landmarks):
        assert canvas[round(y), round(x)].min() > 180


def test_landmarks_leave_most_of_the_face_visible(easel: Easel) -> None:
    canvas = easel.drawn([LandmarksOverlay()], easel.face((200, 150), 240))
    changed = np.abs(canvas[30:270, 80:320].astype(int) - 128).max(axis=2) > 40
    assert 0.01 < changed.mean() < 0.15
