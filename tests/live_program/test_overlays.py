"""The overlays: what is drawn, where, and how it comes and goes.

With MIEN_UPDATE_GOLDEN=1 in the environment the golden pictures are written anew.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.messages import Box, Face, FaceResult, Frame, FrameResult, Prediction
from app.overlays import OVERLAYS, BarsOverlay, BoxOverlay, LandmarksOverlay, Viewport, render
from app.overlays.attention import CROP_CELLS, AttentionOverlay, attention_map, coloured
from app.overlays.bars import make_panel
from app.overlays.base import Canvas, Fader, Overlay, line_width, text_size
from app.overlays.boxes import place_tags
from app.overlays.text import fitted, text_mask, text_width
from app.palette import DISPLAY_ORDER, bgr
from models.runtime.labels import FER2013, FERPLUS

GOLDEN = Path(__file__).parents[1] / "golden"
CROP = 48
FIVE = np.array([[15, 18.9], [32.7, 18.8], [24, 29], [17, 38], [31, 38]])


def sixty_eight() -> NDArray[np.float64]:
    """Return a plain face in crop pixels, in the iBUG order."""

    def arc(
        x: float, y: float, size: tuple[float, float], ends: tuple[float, float], count: int
    ) -> NDArray[np.float64]:
        turn = np.linspace(*ends, count)
        return np.stack([x + size[0] * np.cos(turn), y + size[1] * np.sin(turn)], axis=1)

    half, full = np.pi, 2 * np.pi
    parts = [
        arc(24, 20, (21, 26), (half, 0), 17),
        arc(14, 13, (6, 3), (half, full), 5),
        arc(34, 13, (6, 3), (half, full), 5),
        np.stack([np.full(4, 24.0), np.linspace(18, 28, 4)], axis=1),
        arc(24, 30, (4, 1.5), (half, 0), 5),
        arc(15, 18.9, (3.3, 1.6), (half, half + full * 5 / 6), 6),
        arc(32.7, 18.8, (3.3, 1.6), (half, half + full * 5 / 6), 6),
        arc(24, 38, (8, 3.4), (half, half + full * 11 / 12), 12),
        arc(24, 38, (6, 1.2), (half, half + full * 7 / 8), 8),
    ]
    return np.concatenate(parts)


def make_face(
    centre: tuple[float, float] = (120, 120),
    side: float = 120,
    *,
    label: str = "happiness",
    confidence: float = 0.92,
    track: int | None = 1,
    labels: tuple[str, ...] = FERPLUS,
    landmarks: NDArray[np.float64] | None = None,
    cam: NDArray[np.float32] | None = None,
    angle: float = 0.0,
) -> FaceResult:
    """Return a face whose crop is a square of `side` around `centre`, frame pixels."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) * side / CROP
    middle = (CROP - 1) / 2
    shift = np.array(centre) - turn @ (middle, middle)
    crop_to_frame = np.column_stack([turn, shift])
    if landmarks is None:
        landmarks = sixty_eight()
    probabilities = np.full(len(labels), (1 - confidence) / (len(labels) - 1), np.float32)
    if label in labels:
        probabilities[labels.index(label)] = confidence
    attention = {} if cam is None else {"cam": cam}
    reach = 0.44 * side
    x, y = centre
    return FaceResult(
        Face(
            Box(x - reach, y - reach, x + reach, y + reach),
            0.9,
            (landmarks @ turn.T + shift).astype(np.float32),
            track,
        ),
        Prediction(probabilities, labels, attention),
        probabilities,
        label,
        confidence,
        np.zeros((CROP, CROP), np.uint8),
        crop_to_frame,
    )


def one_hot_cam(label: str, row: int, column: int) -> NDArray[np.float32]:
    """Return maps that are positive in one cell of the label's map, elsewhere of other labels."""
    cam = np.full((len(FERPLUS), 3, 3), 5, np.float32)
    cam[FERPLUS.index(label)] = -1
    cam[FERPLUS.index(label), row, column] = 2
    return cam


def gradient(width: int = 400, height: int = 300) -> Canvas:
    across = np.linspace(30, 230, width)[None]
    down = np.linspace(220, 40, height)[:, None]
    mixed = np.stack(np.broadcast_arrays(across, down, (across + down) / 2), axis=2)
    return mixed.astype(np.uint8)


def grey(width: int = 400, height: int = 300, value: int = 128) -> Canvas:
    return np.full((height, width, 3), value, np.uint8)


def at(time: float, *faces: FaceResult, image: Canvas | None = None, index: int = 0) -> FrameResult:
    return FrameResult(Frame(grey() if image is None else image, index, time), faces)


def drawn(
    overlays: Iterable[Overlay],
    *faces: FaceResult,
    image: Canvas | None = None,
    size: tuple[int, int] = (400, 300),
    mirrored: bool = False,
) -> Canvas:
    return render(at(0, *faces, image=image), size=size, mirrored=mirrored, overlays=overlays)


def every_overlay() -> list[Overlay]:
    return [make() for make in OVERLAYS.values()]


def compare_with_golden(name: str, picture: Canvas, text_rows: int) -> None:
    """Compare closely below `text_rows`, and above with room for other versions of the font."""
    file = GOLDEN / f"{name}.png"
    if os.environ.get("MIEN_UPDATE_GOLDEN") == "1":
        cv2.imwrite(str(file), picture)
    golden = cv2.imread(str(file))
    assert golden is not None, f"{file} is missing: run once with MIEN_UPDATE_GOLDEN=1"
    assert golden.shape == picture.shape
    difference = np.abs(golden.astype(int) - picture).max(axis=2)
    assert difference.mean() < 0.8
    assert (difference > 48).mean() < 0.006
    assert (difference[text_rows:] > 24).sum() < 25


# Golden pictures


@pytest.mark.parametrize(
    ("name", "text_rows"), [("attention", 0), ("landmarks", 0), ("boxes", 70), ("bars", 230)]
)
def test_each_overlay_looks_as_before(name: str, text_rows: int) -> None:
    face = make_face(cam=one_hot_cam("happiness", 2, 1), angle=0.1)
    compare_with_golden(name, drawn([OVERLAYS[name]()], face, image=gradient()), text_rows)


def test_several_faces_look_as_before() -> None:
    faces = (
        make_face((90, 110), 110, cam=one_hot_cam("happiness", 2, 1)),
        make_face((250, 90), 90, label="surprise", track=12, landmarks=FIVE, confidence=0.997),
        make_face((390, 240), 120, label="unsure", track=3, confidence=0.31, labels=FER2013),
    )
    compare_with_golden("faces", drawn(every_overlay(), *faces, image=gradient()), 300)
    mirrored = drawn(every_overlay(), *faces, image=gradient(), size=(800, 600), mirrored=True)
    compare_with_golden("faces_mirrored", mirrored, 520)


# The picture


def test_render_resizes_and_leaves_the_frame_alone() -> None:
    image = gradient()
    before = image.copy()
    canvas = drawn(every_overlay(), make_face(), image=image, size=(800, 600))
    assert canvas.shape == (600, 800, 3)
    assert np.array_equal(image, before)


def test_render_mirrors_the_picture() -> None:
    image = gradient()
    for size in ((400, 300), (200, 150), (800, 600)):
        straight = drawn([], image=image, size=size)
        assert np.array_equal(straight[:, ::-1], drawn([], image=image, size=size, mirrored=True))


@pytest.mark.parametrize("name", OVERLAYS)
def test_no_face_leaves_the_picture_as_it_is(name: str) -> None:
    assert np.array_equal(drawn([OVERLAYS[name]()]), grey())


@pytest.mark.parametrize("name", ["boxes", "bars"])
def test_text_reads_forward_in_a_mirror(name: str) -> None:
    there, mirror_image = make_face((120, 150)), make_face((400 - 120, 150))
    mirrored = drawn([OVERLAYS[name]()], there, mirrored=True)
    straight = drawn([OVERLAYS[name]()], mirror_image)
    assert (mirrored != grey()).any()
    # Alike but for half a pixel, where the crop's centre turns about a pixel's.
    assert np.abs(mirrored.astype(int) - straight).mean() < 0.2


@pytest.mark.parametrize("size", [(320, 240), (640, 480), (1280, 720), (3840, 2160)])
def test_nothing_is_drawn_outside_the_picture(size: tuple[int, int]) -> None:
    width, height = size
    labels = ("an expression with a very long name indeed", *DISPLAY_ORDER)
    cam = np.ones((len(labels), 3, 3), np.float32)
    surrounded = np.full((height + 80, width + 80, 3), 77, np.uint8)
    canvas = surrounded[40:-40, 40:-40]
    canvas[:] = 200
    corners = [(0, 0), (width, 0), (0, height), (width, height), (width / 2, height / 2)]
    faces = [
        make_face(corner, height * 0.6, label=labels[0], labels=labels, track=number, cam=cam)
        for number, corner in enumerate([*corners, (-width, 10)], start=98)
    ]
    for overlay in every_overlay():
        overlay.draw(canvas, at(0, *faces), Viewport(1, False, width))
    inside = surrounded.copy()
    inside[40:-40, 40:-40] = 77
    assert (inside == 77).all()
    assert (canvas != 200).any()


@pytest.mark.parametrize("mirrored", [False, True])
def test_points_follow_the_pixels_of_the_frame(mirrored: bool) -> None:
    image = np.zeros((30, 40, 3), np.uint8)
    image[7, 11] = 255
    canvas = drawn([], image=image, size=(400, 300), mirrored=mirrored)
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
    height: int, ratio: float, line: float, text: int
) -> None:
    canvas, view = grey(height * 4 // 3, height), Viewport(1, False, height * 4 // 3, ratio)
    assert line_width(canvas, view) == pytest.approx(line)
    assert text_size(canvas, view) == text


# Coming and going


def test_a_face_comes_and_goes_within_the_fade() -> None:
    fader = Fader(0.12)
    face = make_face()
    fader.faces(at(1.00))
    levels = [fader.faces(at(time, face))[0][1] for time in (1.03, 1.06, 1.12, 1.20)]
    assert levels == pytest.approx([0.25, 0.5, 1, 1])
    leaving = [fader.faces(at(time)) for time in (1.23, 1.29, 1.33)]
    assert [level for (_, level), *_ in leaving[:2]] == pytest.approx([0.75, 0.25])
    assert leaving[2] == []


def test_the_first_frame_and_a_jump_back_show_all_at_once() -> None:
    fader = Fader(0.12)
    assert fader.faces(at(5, make_face(track=1)))[0][1] == 1
    faces = fader.faces(at(2, make_face(track=2)))
    assert [(face.face.track_id, level) for face, level in faces] == [(2, 1.0)]


def test_drawing_a_frame_again_changes_nothing() -> None:
    overlay = BoxOverlay()
    size = (400, 300)
    render(at(1), size=size, overlays=[overlay])
    coming = at(1.05, make_face())
    first = render(coming, size=size, overlays=[overlay])
    assert np.array_equal(first, render(coming, size=size, overlays=[overlay]))
    full = drawn([BoxOverlay()], make_face())
    change = np.abs(first.astype(int) - grey()).sum() / np.abs(full.astype(int) - grey()).sum()
    assert change == pytest.approx(0.05 / 0.12, abs=0.05)


def test_faces_without_a_track_and_without_fading_are_there_at_once() -> None:
    fader = Fader(0.12)
    fader.faces(at(1))
    assert fader.faces(at(1.01, make_face(track=None)))[0][1] == 1
    still = Fader(0)
    still.faces(at(1))
    assert still.faces(at(1.01, make_face()))[0][1] == 1
    assert still.faces(at(1.02)) == []


# Boxes


def test_brackets_stand_at_the_corners_in_the_colour_of_the_label() -> None:
    canvas = drawn([BoxOverlay()], make_face((200, 150), 200, label="anger"), size=(400, 300))
    coloured_pixels = np.abs(canvas.astype(int) - bgr("anger")).max(axis=2) < 8
    y, x = np.nonzero(coloured_pixels)
    below_tag = y > 150
    assert x[below_tag].min() == pytest.approx(200 - 88, abs=2)
    assert x[below_tag].max() == pytest.approx(200 + 88, abs=2)
    assert y.max() == pytest.approx(150 + 88, abs=2)
    assert not coloured_pixels[:, 180:220].any(), "only the corners are drawn"


def test_the_tag_says_id_label_and_confidence() -> None:
    faces = [make_face(confidence=0.924, track=1)]
    (tag,) = place_tags(faces, [Box(100, 100, 200, 200)], grey(), Viewport(1, False, 400))
    assert tag is not None
    assert (tag.track, tag.label, tag.confidence) == ("1", "happiness", "92 %")
    assert tag.place.y2 <= 100, "above the box, where there is room"


def test_the_tag_keeps_its_width_while_the_numbers_change() -> None:
    boxes = [Box(100, 100, 200, 200)]
    widths = set()
    for confidence in (0.11, 0.40, 0.88):
        (tag,) = place_tags(
            [make_face(confidence=confidence)], boxes, grey(), Viewport(1, False, 400)
        )
        assert tag is not None
        widths.add(tag.place.width)
    assert len(widths) == 1


def test_tags_of_neighbours_do_not_cover_each_other() -> None:
    boxes = [Box(40, 100, 120, 180), Box(125, 102, 205, 182), Box(30, 190, 110, 270)]
    faces = [make_face(track=number) for number in range(3)]
    tags = place_tags(faces, boxes, grey(), Viewport(1, False, 400))
    places = [tag.place for tag in tags if tag is not None]
    assert len(places) == 3
    assert places[0].overlap(places[1]) == 0
    assert places[0].overlap(places[2]) == 0
    assert places[1].overlap(places[2]) == 0


def test_text_stays_legible_on_white() -> None:
    white = grey(value=255)
    canvas = drawn([BoxOverlay()], make_face(), image=white)
    tag_rows = canvas[:70].min(axis=2)
    plate = np.median(tag_rows[tag_rows < 200])
    # Light text of 235 on a plate of at most 90 has a contrast above 5.
    assert plate < 90


# Bars


def test_bars_keep_their_order_and_grow_with_the_probability() -> None:
    def length(label: str, confidence: float) -> int:
        face = make_face(label=label, confidence=confidence)
        canvas = drawn([BarsOverlay()], face)
        return int((np.abs(canvas.astype(int) - bgr(label)).max(axis=2) < 12).any(axis=0).sum())

    assert length("happiness", 0.9) > 1.6 * length("happiness", 0.5) > 0
    rows = []
    for label in DISPLAY_ORDER:
        canvas = drawn([BarsOverlay()], make_face(label=label, confidence=0.99))
        bar = np.abs(canvas.astype(int) - bgr(label)).max(axis=2) < 12
        # The fullest row: single pixels of the text's edges may have the colour by chance.
        rows.append(int(bar.sum(axis=1).argmax()))
    assert rows == sorted(rows)
    assert np.diff(rows) == pytest.approx(make_panel(DISPLAY_ORDER, 14, short=False).row, abs=1)


def test_bars_stand_beside_the_face_and_leave_other_faces_free() -> None:
    left, right = make_face((70, 150), 100, track=1), make_face((330, 150), 100, track=2)
    canvas = drawn([BarsOverlay()], left, right, image=grey())
    changed = (canvas != grey()).any(axis=2)
    assert changed.any()
    for face in (left, right):
        box = face.face.box
        area = changed[int(box.y1) : int(box.y2), int(box.x1) : int(box.x2)]
        assert area.mean() < 0.05


def test_a_lone_face_that_fills_the_picture_still_gets_bars() -> None:
    canvas = drawn([BarsOverlay()], make_face((200, 150), 500))
    assert (canvas != grey()).any()


def test_bars_are_left_out_where_they_would_hide_others() -> None:
    places = [(x, y) for x in range(30, 400, 60) for y in range(30, 300, 60)]
    faces = [make_face(place, 66, track=number) for number, place in enumerate(places)]
    assert np.array_equal(drawn([BarsOverlay()], *faces), grey())


# Landmarks


@pytest.mark.parametrize("points", [sixty_eight(), FIVE])
@pytest.mark.parametrize("mirrored", [False, True])
def test_landmarks_are_drawn_where_they_lie(points: NDArray[np.float64], mirrored: bool) -> None:
    face = make_face((200, 150), 240, landmarks=points)
    canvas = drawn([LandmarksOverlay()], face, image=grey(value=90), mirrored=mirrored)
    assert face.face.landmarks is not None
    for x, y in Viewport(1, mirrored, 400).to_canvas(face.face.landmarks):
        assert canvas[round(y), round(x)].min() > 180


def test_landmarks_leave_most_of_the_face_visible() -> None:
    canvas = drawn([LandmarksOverlay()], make_face((200, 150), 240))
    changed = np.abs(canvas[30:270, 80:320].astype(int) - 128).max(axis=2) > 40
    assert 0.01 < changed.mean() < 0.15


# Attention


def test_the_map_of_the_shown_label_is_scaled_by_its_greatest_value() -> None:
    cam = np.zeros((8, 1, 3), np.float32)
    cam[FERPLUS.index("happiness")] = [[-4, 1, 2]]
    cam[FERPLUS.index("anger")] = [[9, 0, 0]]
    values = attention_map(make_face(cam=cam))
    assert values is not None
    assert values.dtype == np.float32
    assert values.tolist() == [[0, 0.5, 1]]
    unsure = make_face(label="unsure", labels=FERPLUS, confidence=0.3, cam=cam)
    assert attention_map(unsure) is None, "the likeliest label's map has nothing positive"


def test_maps_without_a_label_are_shown_as_they_are() -> None:
    face = make_face()
    face.prediction.attention["spatial"] = np.array([[0, 2], [4, 1]], np.float32)
    values = attention_map(face, "spatial")
    assert values is not None
    assert values.tolist() == [[0, 0.5], [1, 0.25]]
    assert attention_map(face) is None
    assert (drawn([AttentionOverlay("spatial")], face) != grey()).any()
    assert np.array_equal(drawn([AttentionOverlay()], face), grey())


@pytest.mark.parametrize("values", [np.zeros((8, 3, 3)), -np.ones((8, 3, 3)), np.ones((8, 0, 0))])
def test_a_map_without_positive_values_draws_nothing(values: NDArray[np.float64]) -> None:
    face = make_face(cam=values.astype(np.float32))
    assert np.array_equal(drawn([AttentionOverlay()], face), grey())


@pytest.mark.parametrize("mirrored", [False, True])
def test_attention_lies_on_its_part_of_the_face(mirrored: bool) -> None:
    face = make_face((200, 150), 180, cam=one_hot_cam("happiness", 2, 1), angle=0.4)
    canvas = drawn([AttentionOverlay()], face, mirrored=mirrored)
    strength = np.abs(canvas.astype(int) - 128).sum(axis=2).astype(float)
    y, x = np.indices(strength.shape)
    seen = np.array([(x * strength).sum(), (y * strength).sum()]) / strength.sum()
    cell = face.crop_to_frame @ (23.5, 39.5, 1)
    expected = Viewport(1, mirrored, 400).to_canvas(cell)
    assert seen == pytest.approx(expected, abs=180 / 12)


def test_attention_is_soft_and_lets_the_face_through() -> None:
    painted = coloured(np.ones((3, 3), np.float32))
    opacity = painted[..., 3].astype(int)
    assert 0.5 < opacity.max() / 255 < 0.7
    rim = np.concatenate([opacity[0], opacity[-1], opacity[:, 0], opacity[:, -1]])
    assert rim.max() < 5
    assert np.abs(np.diff(opacity, axis=1)).max() < 20
    on_crop = opacity[CROP_CELLS, CROP_CELLS]
    assert on_crop.shape == (88, 88)
    assert on_crop[:, 44].min() > 10, "the crop's own edge is still seen"
    half = coloured(np.full((3, 3), 0.5, np.float32))[48, 48, 3]
    assert half == pytest.approx(opacity[48, 48] / 2, abs=2)


# Text


def test_text_is_shortened_to_its_room() -> None:
    assert fitted("happiness", 20, 400) == "happiness"
    short = fitted("an expression with a very long name", 20, 120)
    assert short.endswith("…")
    assert text_width(short, 20) <= 120


def test_text_is_anti_aliased() -> None:
    mask = text_mask("surprise", 20)
    assert mask.max() == 255
    assert ((mask > 20) & (mask < 235)).mean() > 0.05
