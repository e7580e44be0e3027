"""Why a session's faces were called what they were, asked afterwards."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from pytestqt.qtbot import QtBot

from app.analysis.inputs import VIDEO, Input
from app.analysis.job import Job, run_job
from app.analysis.parts import AnalysisOptions
from app.api import Analyzer
from app.messages import FrameResult
from app.review.edited import edited
from app.review.edits import EditList
from app.review.fetcher import Fetcher
from app.review.pictures import find_pictures
from app.review.reasons import NO_PICTURES, Reasons
from app.review.recording import LandmarkReader, Recording, ReviewError, open_recording
from app.review.results import as_result
from app.sources.actor import ActorSource
from app.views import CAM, GUIDED, OCCLUSION, shown_label

if TYPE_CHECKING:
    from tests.review.conftest import Desk

FRAMES = 12


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return half a second of the demo actor."""
    path = tmp_path_factory.mktemp("film") / "actor.avi"
    with ActorSource(paced=False) as source:
        images = [frame.image for frame in islice(iter(source.read, None), FRAMES)]
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"FFV1"), 25.0, (width, height)
    )
    for image in images:
        writer.write(image)
    writer.release()
    return path


@pytest.fixture(scope="module")
def analysed(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the session of that film, for tests that only read it."""
    folder = tmp_path_factory.mktemp("analysed")
    source = Input(VIDEO, film, (film,), FRAMES)
    job = Job(0, source, folder, "actor", AnalysisOptions(), {})
    outcome = run_job(job, lambda _: None, lambda: False)
    assert outcome.folder is not None, outcome.note
    return folder / "actor"


def shown(recording: Recording, frame: int) -> FrameResult:
    """Return a frame as a review shows it."""
    pictures = find_pictures(recording)
    assert pictures is not None
    image = pictures.picture(frame)
    pictures.close()
    assert image is not None
    landmarks = LandmarkReader(recording)
    result = as_result(edited(recording, EditList()), frame, image.copy(), landmarks)
    landmarks.close()
    return result


def reasons_of(recording: Recording) -> Reasons:
    pictures = find_pictures(recording)
    try:
        return Reasons(recording, pictures)
    finally:
        if pictures is not None:
            pictures.close()


def test_the_maps_are_those_that_were_there_when_it_was_read(analysed: Path, film: Path) -> None:
    recording = open_recording(analysed)
    result = shown(recording, FRAMES - 1)
    looked = reasons_of(recording).look(result)
    *_, then = Analyzer().results(film)
    (face,), (before,), (plain,) = looked.faces, then.faces, result.faces
    np.testing.assert_allclose(face.crop_to_frame, before.crop_to_frame, atol=1e-3)
    assert np.abs(face.crop.astype(int) - before.crop).max() <= 1
    found, expected = face.prediction.attention[CAM], before.prediction.attention[CAM]
    np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())
    # What was said stays what was recorded.
    assert face.label == plain.label == before.label
    assert face.prediction.probabilities is plain.prediction.probabilities


@pytest.mark.parametrize("view", [OCCLUSION, GUIDED])
def test_a_slow_view_explains_the_label_that_is_shown(
    analysed: Path, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = open_recording(analysed)
    reasons = reasons_of(recording)
    assert reasons.is_slow(view)
    assert not reasons.is_slow(CAM)
    looked = reasons.look(shown(recording, 3))
    explained = reasons.explain(looked, view, lambda: False)
    assert explained is not None
    (face,) = explained.faces
    maps = face.prediction.attention[view]
    label = shown_label(face)
    assert maps[label].max() > 0
    assert [row for row, values in enumerate(maps) if not np.isnan(values).any()] == [label]
    assert CAM in face.prediction.attention
    assert reasons.explain(looked, view, lambda: True) is None
    monkeypatch.setattr("app.review.reasons._QUICK_SECONDS", 0.0)
    assert not reasons.is_quick(view)


def test_a_frame_without_a_face_stays_as_it_is(analysed: Path) -> None:
    recording = open_recording(analysed)
    result = shown(recording, 0)
    empty = FrameResult(result.frame, ())
    assert reasons_of(recording).look(empty) is empty


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda info: info.update(video={"blur": True}), "no clean pictures"),
        (lambda info: info["model"].update(name="gone"), '"gone", is not here any more'),
        (lambda info: info["model"].update(sha256="0" * 64), "is another one now"),
        (lambda info: info.pop("model"), "is not here any more"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(
    analysed: Path, tmp_path: Path, change: Change, said: str
) -> None:
    folder = Path(shutil.copytree(analysed, tmp_path / "session"))
    info = json.loads((folder / "session.json").read_text(encoding="utf-8"))
    change(info)
    (folder / "session.json").write_text(json.dumps(info), encoding="utf-8")
    with pytest.raises(ReviewError, match=said):
        reasons_of(open_recording(folder))


def test_a_session_without_pictures_cannot_be_asked(session: Path) -> None:
    with pytest.raises(ReviewError, match="There are no clean pictures"):
        reasons_of(open_recording(session))


def fetched(fetcher: Fetcher, ready: Callable[[FrameResult], bool]) -> FrameResult:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        made = fetcher.take()
        if made is not None and ready(made[1]):
            return made[1]
        time.sleep(0.01)
    raise AssertionError(f"nothing came; {fetcher.take_notices()} {fetcher.no_reasons}")


def was_asked(fetcher: Fetcher) -> bool:
    """Say whether the model was loaded for somebody who asked why."""
    return fetcher.offers is not None


def views_of(result: FrameResult) -> set[str]:
    return {name for face in result.faces for name in face.prediction.attention}


def test_a_view_that_takes_long_follows_once_the_moment_stays(
    analysed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = open_recording(analysed)
    state = edited(recording, EditList())
    fetcher = Fetcher(recording)
    try:
        fetcher.ask(state, 2)
        assert views_of(fetched(fetcher, lambda _: True)) == set()
        assert not was_asked(fetcher)
        fetcher.ask(state, 2, CAM)
        assert views_of(fetched(fetcher, lambda _: True)) == {CAM}
        assert was_asked(fetcher)
        fetcher.ask(state, 2, OCCLUSION)
        assert views_of(fetched(fetcher, lambda _: True)) == {CAM, OCCLUSION}, "it is quick"
        monkeypatch.setattr(Reasons, "is_quick", lambda *_: False)
        fetcher.ask(state, 3, OCCLUSION)
        assert views_of(fetched(fetcher, lambda _: True)) == {CAM}
        assert views_of(fetched(fetcher, lambda _: True)) == {CAM, OCCLUSION}
        assert not fetcher.no_reasons
    finally:
        fetcher.close()


def test_the_window_says_why(desk: Desk, analysed: Path, tmp_path: Path, qtbot: QtBot) -> None:
    folder = Path(shutil.copytree(analysed, tmp_path / "session"))
    desk.review.open_session(folder)
    video, attention = desk.review.video, desk.review.attention
    desk.wait(qtbot, lambda: video.result is not None)
    assert not attention.menu.isEnabled()
    plain = video.picture()
    toggle = desk.review.menu_actions.overlays["attention"]
    toggle.trigger()
    desk.wait(qtbot, lambda: OCCLUSION in views_of_shown(desk))
    assert attention.menu.isEnabled()
    assert video.shown_view.view == OCCLUSION, "the view that is best for this model"
    assert video.picture() != plain
    desk.review.menu_actions.next_view.trigger()
    assert video.shown_view.view == GUIDED
    desk.wait(qtbot, lambda: GUIDED in views_of_shown(desk))
    toggle.trigger()
    desk.wait(qtbot, lambda: views_of_shown(desk) == set())
    assert video.picture() == plain


def views_of_shown(desk: Desk) -> set[str]:
    return set() if desk.review.video.result is None else views_of(desk.review.video.result)


def test_the_window_says_that_it_cannot(
    opened: Desk, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(opened.review.attention, "_warn", said.append)
    toggle = opened.review.menu_actions.overlays["attention"]
    for _ in range(2):  # each time that somebody asks
        toggle.trigger()
        opened.wait(qtbot, lambda: not toggle.isChecked())
    assert said == [NO_PICTURES] * 2
