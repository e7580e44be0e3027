from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.messages import FrameResult
from app.review.edited import edited
from app.review.edits import EditList, Exclude, Merge
from app.review.fetcher import Fetcher, wait_for_fetchers
from app.review.pictures import (
    RecordedPictures,
    VideoPictures,
    field_size,
    find_pictures,
)
from app.review.recording import LandmarkReader, Recording, open_recording
from app.review.results import as_result
from app.sessions.mkv import VideoFile

if TYPE_CHECKING:
    from tests.review.conftest import Record

FRAMES = 90


def bars(index: int) -> NDArray[np.uint8]:
    bits = np.array([40 + 160 * (index >> bit & 1) for bit in range(8)], np.uint8)
    return np.ascontiguousarray(np.broadcast_to(np.repeat(bits, 20)[None, :, None], (120, 160, 3)))


def film(path: Path, frames: int = FRAMES, fps: float = 10.0) -> Path:
    """Write a film whose eight bars, dark or bright, tell the number of the frame."""
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), fps, (160, 120)
    )
    for index in range(frames):
        writer.write(bars(index))
    writer.release()
    return path


def recorded(path: Path, frames: int = FRAMES) -> Path:
    """Write such a film as a recording does."""
    writer = VideoFile(path, 160, 120)
    for index in range(frames):
        writer.add(cv2.imencode(".jpg", bars(index))[1].tobytes(), index / 10)
    writer.close()
    return path


def number(picture: object) -> int:
    assert isinstance(picture, np.ndarray)
    bits = picture[60, 10::20, 1] > 120
    return int((bits * 2 ** np.arange(8)).sum())


def test_any_picture_of_a_video_can_be_had(tmp_path: Path) -> None:
    pictures = VideoPictures(film(tmp_path / "video.mkv"), np.arange(FRAMES) / 10)
    for frame in (0, 1, 2, 50, 51, 3, 89, 88, 0, 30, 30):
        assert number(pictures.picture(frame)) == frame
    pictures.close()


def test_a_recorded_video_has_the_times_of_its_frames(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.uniform(0.02, 0.4, 200))
    writer = VideoFile(tmp_path / "video.mkv", 160, 120)
    for index, moment in enumerate(times.tolist()):
        if index not in (40, 41):  # dropped
            _, data = cv2.imencode(".jpg", bars(index))
            writer.add(data.tobytes(), moment)
    writer.close()
    pictures = RecordedPictures(tmp_path / "video.mkv", times)
    for frame in (0, 199, 3, 100, 101, 102, 17, 150, 149, 42, 39):
        assert number(pictures.picture(frame)) == frame
    assert pictures.picture(40) is None
    assert number(pictures.picture(43)) == 43
    pictures.close()


def test_frames_without_a_picture_have_none(tmp_path: Path) -> None:
    times = np.arange(FRAMES) / 10
    times[5] = np.nan
    pictures = VideoPictures(film(tmp_path / "video.mkv"), times)
    assert pictures.picture(5) is None
    assert number(pictures.picture(6)) == 6
    pictures.close()


def test_the_sessions_own_clean_video_comes_first(session: Path) -> None:
    assert find_pictures(open_recording(session)) is None
    recorded(session / "video_annotated.mkv")
    annotated = find_pictures(open_recording(session))
    assert annotated is not None
    assert annotated.annotated
    annotated.close()
    recorded(session / "video.mkv")
    clean = find_pictures(open_recording(session))
    assert clean is not None
    assert not clean.annotated
    assert number(clean.picture(7)) == 7
    clean.close()


def test_the_file_that_was_analysed_is_found_again(tmp_path: Path, record: Record) -> None:
    source = {"kind": "video", "spec": str(film(tmp_path / "film.mkv"))}
    folder = record(tmp_path / "s", lambda _: [(1, "anger")], 20, info={"source": source})
    recording = open_recording(folder)
    assert find_pictures(recording) is None, "a camera's frames are in no file"
    of_file = replace(recording, media_times=recording.frame_times + 1.0)
    pictures = find_pictures(of_file)
    assert pictures is not None
    assert number(pictures.picture(3)) == 13
    pictures.close()
    (tmp_path / "film.mkv").unlink()
    assert find_pictures(of_file) is None


def test_the_field_has_the_size_of_the_source_or_holds_all_boxes(
    session: Path, tmp_path: Path, record: Record
) -> None:
    assert field_size(open_recording(session)) == (240, 135)
    source = {"kind": "camera", "frame_width": 1920, "frame_height": 1080}
    folder = record(tmp_path / "s", lambda _: [], 2, info={"source": source})
    assert field_size(open_recording(folder)) == (1920, 1080)


def test_a_result_has_the_faces_as_edited(session: Path) -> None:
    recording = open_recording(session)
    landmarks = LandmarkReader(recording)
    state = edited(recording, EditList((Merge(3, 2), Exclude(1, 9.0, 9.2))))
    image = np.zeros((120, 160, 3), np.uint8)
    result = as_result(state, 111, image, landmarks)
    first, second = sorted(result.faces, key=lambda face: face.face.track_id or 0)
    assert (first.face.track_id, second.face.track_id) == (1, 2)
    assert second.unsure
    assert second.label == "unsure"
    assert first.label == "happiness"
    assert first.face.landmarks is not None
    assert first.confidence == pytest.approx(0.8)
    assert [f.face.track_id for f in as_result(state, 91, image, landmarks).faces] == [2]
    landmarks.close()


def fetched(fetcher: Fetcher) -> tuple[int, FrameResult]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        made = fetcher.take()
        if made is not None:
            return made
        time.sleep(0.005)
    raise AssertionError("nothing came")


@pytest.fixture
def fetch(session: Path) -> Callable[[Recording], Fetcher]:
    recorded(session / "video.mkv", 60)
    return Fetcher


def test_the_newest_wish_wins(
    session: Path, fetch: Callable[[Recording], Fetcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate, made = threading.Event(), threading.Event(), list[int]()

    def held(state: Any, frame: int, *rest: Any) -> FrameResult:
        made.append(frame)
        begun.set()
        gate.wait(20)
        return as_result(state, frame, *rest)

    monkeypatch.setattr("app.review.fetcher.as_result", held)
    recording = open_recording(session)
    state = edited(recording, EditList())
    fetcher = fetch(recording)
    fetcher.ask(state, 3)
    assert begun.wait(20)
    for frame in (50, 7, 41):
        fetcher.ask(state, frame)
    gate.set()
    frame = -1
    while frame != 41:
        frame, result = fetched(fetcher)
    assert made == [3, 41]
    assert number(result.frame.image) == 41
    assert fetcher.has_pictures
    assert {face.face.track_id for face in result.faces} == {1, 2}
    fetcher.close()


def test_a_frame_past_the_film_is_still_a_result(
    session: Path, fetch: Callable[[Recording], Fetcher]
) -> None:
    recording = open_recording(session)
    fetcher = fetch(recording)
    fetcher.ask(edited(recording, EditList()), 100)
    frame, result = fetched(fetcher)
    assert frame == 100
    assert {face.face.track_id for face in result.faces} == {1, 3}
    fetcher.close()


def test_nobody_waits_for_a_picture_that_takes_long(
    session: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, gate, closed = threading.Event(), threading.Event(), threading.Event()

    class Slow:
        annotated = False

        def picture(self, _frame: int) -> None:
            begun.set()
            gate.wait(20)

        def close(self) -> None:
            closed.set()

    monkeypatch.setattr("app.review.fetcher.find_pictures", lambda _: Slow())
    recording = open_recording(session)
    fetcher = Fetcher(recording)
    fetcher.ask(edited(recording, EditList()), 5)
    assert begun.wait(20)
    before = time.monotonic()
    fetcher.close()
    assert time.monotonic() - before < 0.05
    wait_for_fetchers(0.1)
    assert time.monotonic() - before < 2, "nor for ever at the end of the program"
    assert not closed.is_set()
    gate.set()
    wait_for_fetchers()
    assert closed.is_set()


@pytest.mark.parametrize("part", ["LandmarkReader", "find_pictures"])
def test_what_cannot_be_read_is_a_sentence_and_no_end(
    session: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    def refuse(_recording: Recording) -> None:
        raise OSError("the disk is gone")

    monkeypatch.setattr(f"app.review.fetcher.{part}", refuse)
    recording = open_recording(session)
    fetcher = Fetcher(recording)
    for wish in (3, 100):
        fetcher.ask(edited(recording, EditList()), wish)
        frame, _ = fetched(fetcher)
        assert frame == wish
    (notice,) = fetcher.take_notices()
    assert "the disk is gone" in notice
    assert fetcher.take_notices() == []
    fetcher.close()


@pytest.mark.parametrize(
    ("info", "said"),
    [
        ({"source": {"live": True}}, "recorded without video"),
        ({"source": {"live": True}, "video": {"kind": "raw"}}, "its video is no longer"),
        ({"source": {"live": False, "spec": "/no/film.mp4"}}, "the file it was made from is no"),
    ],
)
def test_an_empty_field_says_why(session: Path, info: dict[str, Any], said: str) -> None:
    recording = open_recording(session)
    recording.info.update(info)
    fetcher = Fetcher(recording)
    fetcher.ask(edited(recording, EditList()), 3)
    assert fetched(fetcher)[1].frame.caption.startswith(said)
    fetcher.close()


def test_session_json_names_a_source_by_word(session: Path) -> None:
    info = json.loads((session / "session.json").read_text())
    (session / "session.json").write_text(json.dumps(info | {"source": "camera:0"}))
    assert find_pictures(open_recording(session)) is None
