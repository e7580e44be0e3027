"""The demo actor: a loop that closes, a clip that matches its drawing, a face that is found."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import cv2
import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import SourceError
from app.sources import actor
from app.sources.actor import (
    FPS,
    FRAME_COUNT,
    SIZE,
    ActorSource,
    actor_truth,
    next_due,
    paint_actor,
    render_frame,
)
from app.sources.actor_poses import POSES
from app.sources.actor_scene import place_landmarks
from app.sources.actor_timeline import moment

HOLDS = range(30, FRAME_COUNT, 75)


@lru_cache(maxsize=1)
def clip() -> list[NDArray[np.uint8]]:
    """Return every fifth frame of the loop as the source hands it out."""
    with ActorSource(paced=False) as source:
        frames = [source.read() for _ in range(FRAME_COUNT)]
    return [frame.image for frame in frames[::5] if frame is not None]


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Return how far the faces of two pictures differ in gray levels.

    What a codec does, an even shift of colour and fine noise, is taken out first.
    """
    face = (slice(110, 430), slice(215, 425))
    change = one[face].astype(np.float32) - other[face].astype(np.float32)
    shape = cv2.GaussianBlur(change - change.mean((0, 1)), (0, 0), 2.0)
    return float(np.abs(shape).mean())


def test_the_loop_plays_each_expression_and_closes() -> None:
    seen = [actor_truth(index) for index in range(FRAME_COUNT)]
    held = {label: sum(t.hold and t.label == label for t in seen) for label in POSES}
    assert held == dict.fromkeys(POSES, 2 * FPS)
    assert seen[0].label == seen[-1].label == "neutral"
    steps = [float(np.abs(b.landmarks - a.landmarks).max()) for a, b in pairwise([*seen, seen[0]])]
    assert max(steps) < 9, "the actor never jumps"
    assert steps[-1] < 1.5, "nor where the loop closes"
    np.testing.assert_array_equal(seen[7].landmarks, actor_truth(FRAME_COUNT + 7).landmarks)


def test_holds_are_still_enough_to_be_read() -> None:
    for index in range(FRAME_COUNT):
        now = moment(index)
        if now.hold:
            assert abs(now.roll) <= 5
            assert now.pose == POSES[now.label], "the whole expression with open eyes"
    blinks = [index for index in range(FRAME_COUNT) if moment(index).pose.blink == 1]
    assert len(blinks) >= 7


def test_the_clip_is_the_drawing() -> None:
    frames = clip()
    for index in (0, 65, *HOLDS):
        assert difference(frames[index // 5], render_frame(index)) < 1.4, (
            "the drawing changed: run python -m app.sources.actor_render"
        )
    drawn = render_frame(HOLDS[1])
    assert difference(frames[HOLDS[2] // 5], drawn) > 5, "else the comparison says nothing"


def test_frames_say_what_they_show() -> None:
    with ActorSource(paced=False) as source:
        frames = [frame for _ in range(FRAME_COUNT + 3) if (frame := source.read()) is not None]
    assert [frame.index for frame in frames] == list(range(FRAME_COUNT + 3))
    assert frames[0].image.shape == (SIZE[1], SIZE[0], 3)
    assert frames[105].caption == "demo actor: happiness"
    assert frames[-1].media_time == pytest.approx((FRAME_COUNT + 2) / FPS)
    assert all(b.captured_at >= a.captured_at for a, b in pairwise(frames))
    np.testing.assert_array_equal(frames[FRAME_COUNT + 2].image, frames[2].image)
    assert source.live
    assert source.fps == FPS


def test_a_closed_actor_ends() -> None:
    source = ActorSource()
    assert source.read() is not None
    source.close()
    source.close()
    assert source.read() is None


def test_lateness_brings_no_burst() -> None:
    assert next_due(10.0, 9.98, 0.03) == pytest.approx(10.03)
    assert next_due(10.0, 10.02, 0.03) == pytest.approx(10.03), "a little is made up"
    assert next_due(10.0, 15.0, 0.03) == pytest.approx(15.03), "a stall is not"


def test_a_missing_clip_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(actor, "CLIP", tmp_path / "none.mp4")
    with pytest.raises(SourceError, match=r"none\.mp4.*install Mien again"):
        ActorSource()


def test_finders_find_one_face_on_nearly_every_frame() -> None:
    haar = cv2.CascadeClassifier(
        str(Path(cv2.__file__).with_name("data") / "haarcascade_frontalface_default.xml")
    )
    hog = dlib.get_frontal_face_detector()
    grays = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY) for image in clip()]
    by_haar = [len(haar.detectMultiScale(gray, 1.1, 5, minSize=(80, 80))) for gray in grays]
    by_hog = [len(hog(gray, 0)) for gray in grays]
    assert by_haar.count(1) >= 0.99 * len(grays)
    assert by_hog.count(1) >= 0.99 * len(grays)


def test_landmarks_sit_where_they_are_drawn() -> None:
    package = importlib.util.find_spec("face_recognition_models")
    assert package is not None
    assert package.origin is not None
    model = Path(package.origin).parent / "models" / "shape_predictor_68_face_landmarks.dat"
    fit, hog = dlib.shape_predictor(str(model)), dlib.get_frontal_face_detector()
    errors = []
    for index in HOLDS:
        gray = cv2.cvtColor(clip()[index // 5], cv2.COLOR_BGR2GRAY)
        fitted = np.array([(p.x, p.y) for p in fit(gray, hog(gray, 0)[0]).parts()])
        drawn = actor_truth(index).landmarks
        eyes = np.linalg.norm(drawn[45] - drawn[36])
        errors.append(np.linalg.norm(fitted - drawn, axis=1) / eyes)
    mean = np.mean(errors, axis=0)
    assert mean[[39, 42]].max() < 0.04, "inner eye corners"
    assert mean[[48, 54]].max() < 0.05, "mouth corners"
    assert mean.mean() < 0.05


def test_the_actor_can_be_drawn_anywhere() -> None:
    picture: NDArray[np.uint8] = np.full((480, 640, 3), 200, np.uint8)
    paint_actor(picture, HOLDS[0], centre=(160, 180), size=0.55)
    paint_actor(picture, HOLDS[1], centre=(480, 180), size=0.55)
    found = dlib.get_frontal_face_detector()(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), 0)
    assert len(found) == 2
    for index, x in ((HOLDS[0], 160), (HOLDS[1], 480)):
        low, high = (f(place_landmarks(index, (x, 180), 0.55), axis=0) for f in (np.min, np.max))
        middle = (low + high) / 2
        assert any(box.contains(int(middle[0]), int(middle[1])) for box in found)
    assert (picture[:40] == 200).all(), "what lies around the actor stays as it was"


def test_importing_the_actor_is_light() -> None:
    code = (
        "import sys, app.sources.actor; assert not {'dlib', 'torch', 'PySide6'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
