"""Pictures with the times of the table, in a file that survives a kill, and blurred on request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from app.messages import Box, FrameResult
from app.sessions.blur import Blur
from app.sessions.folder import open_session
from app.sessions.mkv import VideoFile, VideoReader, finish_video, read_pictures
from app.sessions.video import VIDEOS, VideoOptions, VideoThread
from app.sources.video import VideoSource

Make = Callable[..., Any]
WIDTH, HEIGHT = 96, 64


def numbered(number: int) -> NDArray[np.uint8]:
    """Return a picture whose white columns tell its number."""
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    picture[:, :number] = 255
    return picture


def number_of(picture: NDArray[np.uint8] | None) -> int:
    assert picture is not None
    return int((picture[HEIGHT // 2, :, 0] > 128).sum())


def jpeg(number: int) -> bytes:
    return bytes(cv2.imencode(".jpg", numbered(number))[1].tobytes())


@pytest.fixture
def times() -> list[float]:
    """Return the uneven times of forty pictures."""
    steps = np.random.default_rng(3).uniform(0.004, 0.3, 39)
    return [0.0, *np.cumsum(steps).round(4).tolist()]


@pytest.fixture
def film(tmp_path: Path, times: list[float]) -> Path:
    """Return a file that nobody finished."""
    path = tmp_path / "film.mkv"
    video = VideoFile(path, WIDTH, HEIGHT)
    for number, at in enumerate(times):
        video.add(jpeg(number), at)
    video._file.close()
    return path


@pytest.mark.parametrize("finished", [False, True])
def test_other_programs_see_each_picture_at_its_time(
    film: Path, times: list[float], finished: bool
) -> None:
    if finished:
        finish_video(film)
    seen = []
    with VideoSource(film, paced=False) as source:
        while (frame := source.read()) is not None:
            assert frame.media_time is not None
            seen.append((number_of(frame.image), frame.media_time))
    assert [number for number, _ in seen] == list(range(40))
    assert [time for _, time in seen] == pytest.approx(times, abs=1.1e-4)


def test_any_picture_can_be_had_at_once(film: Path, times: list[float]) -> None:
    reader = VideoReader(film)
    assert reader.pictures.times.tolist() == pytest.approx(times, abs=6e-5)
    for number in (39, 0, 17):
        assert reader.near(times[number]) == number
        assert number_of(reader.picture(number)) == number
    assert reader.near((times[3] + times[4]) / 2) is None
    assert reader.near(times[-1] + 1) is None
    reader.close()


def test_a_file_cut_anywhere_keeps_its_whole_pictures(film: Path) -> None:
    whole = read_pictures(film)
    begins = int(whole.clusters[20])
    content = film.read_bytes()
    for end in (begins + 1, begins + 15, int(whole.clusters[21]) - 1):
        film.write_bytes(content[:end])
        assert len(read_pictures(film).times) == 20
        finish_video(film)
        assert len(read_pictures(film).times) == 20


def test_finishing_adds_the_length_and_changes_no_picture(film: Path, times: list[float]) -> None:
    before = read_pictures(film)
    finish_video(film)
    after = read_pictures(film)
    assert after.offsets.tolist() == before.offsets.tolist()
    content = film.read_bytes()
    finish_video(film)
    assert film.read_bytes() == content, "once is enough"
    capture = cv2.VideoCapture(str(film), cv2.CAP_FFMPEG)
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(39 / times[-1], rel=0.01)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == pytest.approx(40, abs=2)
    assert capture.set(cv2.CAP_PROP_POS_MSEC, 500 * times[-1])
    assert 5 < number_of(np.asarray(capture.read()[1], np.uint8)) < 35
    capture.release()


def test_a_single_picture_that_is_not_the_first_is_finished(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    video = VideoFile(path, WIDTH, HEIGHT)
    video.add(jpeg(7), 1.0)
    video.close()
    assert read_pictures(path).times.tolist() == [1.0]


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.mkv"
    other.write_bytes(b"RIFF" + bytes(300))
    with pytest.raises(OSError, match="is no video of Mien's"):
        read_pictures(other)


def test_pictures_and_rows_have_the_same_times(make_writer: Make, frame: Make, face: Make) -> None:
    kinds = tuple(VIDEOS)
    writer = make_writer(video=VideoOptions(kinds, overlays=("boxes",)), wait=True)
    plain = face(1, face=replace(face().face, box=Box(20.0, 30.0, 70.0, 80.0)))
    for index in range(25):
        writer.add(frame(index, plain, after=index * 0.0337, size=(120, 100)))
    writer.close()
    session = open_session(writer.path)
    assert [video.name for video in session.videos] == sorted(VIDEOS.values())
    expected = session.frames["session_time"].to_pylist()
    shown = {}
    for video in session.videos:
        reader = VideoReader(video)
        assert reader.pictures.times.tolist() == pytest.approx(expected, abs=6e-5)
        shown[video.name] = reader.picture(24)
        reader.close()
    raw, annotated = shown["video.mkv"], shown["video_annotated.mkv"]
    assert raw is not None
    assert annotated is not None
    assert abs(raw.astype(int) - 90).max() <= 3
    assert abs(annotated.astype(int) - 90).max() > 60, "something is drawn on it"


def test_pictures_of_another_size_stay_as_they_are(
    make_writer: Make, frame: Make, face: Make
) -> None:
    """As of a phone that is turned, or of a folder's images: boxes count their own pixels."""
    writer = make_writer(video=VideoOptions(("raw",)), wait=True)
    seen = [((320, 240), Box(50, 50, 100, 100)), ((240, 320), Box(50, 200, 100, 250))]
    for index, (size, box) in enumerate(seen):
        result = frame(index, face(1, face=replace(face().face, box=box)), size=size)
        image = np.full((*size[::-1], 3), 40, np.uint8)
        image[round(box.y1) : round(box.y2), round(box.x1) : round(box.x2)] = 230
        writer.add(replace(result, frame=replace(result.frame, image=image)))
    writer.close()
    reader = VideoReader(open_session(writer.path).videos[0])
    for index, (size, box) in enumerate(seen):
        picture = reader.picture(index)
        assert picture is not None
        assert picture.shape[1::-1] == size
        inside = picture[round(box.y1) + 4 : round(box.y2) - 4, 54:96]
        assert inside.min() > 200, "the face itself"
    reader.close()
    with VideoSource(writer.path / VIDEOS["raw"], paced=False) as source:
        assert sum(1 for _ in iter(source.read, None)) == 2, "other programs read it as well"


def test_a_slow_encoder_drops_pictures_and_says_which(
    tmp_path: Path, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, reached = threading.Event(), threading.Event()
    write = VideoThread._write

    def slow(thread: VideoThread, result: FrameResult) -> None:
        reached.set()
        gate.wait(30)
        write(thread, result)

    monkeypatch.setattr(VideoThread, "_write", slow)
    monkeypatch.setattr("app.sessions.video._MOST_WAITING", 1)
    dropped: list[int] = []
    thread = VideoThread(
        VideoOptions(("raw",)), start=1000.0, wait=False,
        dropped=lambda index, *_: dropped.append(index), failed=lambda error: None,
    )  # fmt: skip
    thread.begin(tmp_path)
    thread.add(frame(0))
    assert reached.wait(30)
    for index in range(1, 10):
        thread.add(frame(index))
    gate.set()
    thread.close()
    kept = [round(time * 30) for time in read_pictures(tmp_path / VIDEOS["raw"]).times]
    assert kept == [0, 1, 2, 3, 4]
    assert dropped == [5, 6, 7, 8, 9]


def test_a_disk_that_takes_no_picture_ends_the_recording(
    make_writer: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    writer = make_writer(video=VideoOptions(("raw",)))
    writer.add(frame(0))
    monkeypatch.setattr(VideoFile, "add", full)
    deadline = time.monotonic() + 30
    while not writer.error:
        assert time.monotonic() < deadline, "it goes on"
        writer.add(frame(1))
    writer.close()
    assert "the disk takes no more (No space left on device)" in writer.error
    assert open_session(writer.path).frames.num_rows >= 1


def pattern() -> NDArray[np.uint8]:
    """Return a picture of which every part is busy."""
    rows, columns = np.mgrid[:240, :320]
    board = ((rows // 4 + columns // 4) % 2 * 200).astype(np.uint8)
    return np.repeat(board[..., None], 3, axis=2)


def detail(picture: NDArray[np.uint8], box: Box) -> float:
    part = picture[round(box.y1) : round(box.y2), round(box.x1) : round(box.x2)]
    return float(cv2.Laplacian(part[..., 0], cv2.CV_64F).std())


def seen(face: Make, frame: Make, index: int, box: Box | None) -> FrameResult:
    faces = [] if box is None else [face(1, face=replace(face().face, box=box))]
    result: FrameResult = frame(index, *faces)
    return replace(result, frame=replace(result.frame, image=pattern()))


def pictures(*results: FrameResult) -> list[NDArray[np.uint8]]:
    """Return the pictures as they come out of a blur."""
    blur = Blur()
    ready = [out for result in results for out in blur.add(result)] + blur.rest()
    assert [out.frame.index for out in ready] == [result.frame.index for result in results]
    return [out.frame.image for out in ready]


def test_a_blurred_face_has_no_detail_and_the_rest_keeps_it(face: Make, frame: Make) -> None:
    box = Box(100.0, 80.0, 160.0, 140.0)
    result = seen(face, frame, 0, box)
    (blurred,) = pictures(result)
    assert detail(blurred, box) < 0.03 * detail(pattern(), box)
    corner = Box(0.0, 0.0, 60.0, 30.0)
    assert detail(blurred, corner) == detail(pattern(), corner)
    assert (result.frame.image == pattern()).all(), "the live picture is not touched"


def test_a_face_just_lost_stays_blurred_for_a_while(face: Make, frame: Make) -> None:
    box = Box(100.0, 80.0, 160.0, 140.0)
    _, gone, later = pictures(
        seen(face, frame, 0, box), seen(face, frame, 15, None), seen(face, frame, 90, None)
    )
    assert detail(gone, box) < 0.03 * detail(pattern(), box)
    assert detail(later, box) == detail(pattern(), box)


def test_a_face_is_blurred_before_it_is_found(face: Make, frame: Make) -> None:
    """As while nobody has searched for it yet: 0.8 s at most, 24 frames of 30 in a second."""
    box = Box(100.0, 80.0, 160.0, 140.0)
    found_at = 30
    results = [seen(face, frame, index, box if index >= found_at else None) for index in range(34)]
    out = pictures(*results)
    for index in range(found_at - 24, found_at):
        assert detail(out[index], box) < 0.03 * detail(pattern(), box), index
    assert detail(pictures(*results[:found_at])[-1], box) == detail(pattern(), box)


def test_frames_wait_a_second_for_a_face_and_no_longer(face: Make, frame: Make) -> None:
    blur = Blur()
    ready = [len(blur.add(seen(face, frame, index, None))) for index in range(40)]
    assert ready == [0] * 31 + [1] * 9
    assert len(blur.rest()) == 31
    assert blur.rest() == []


def test_large_frames_wait_less_so_that_memory_is_bounded(
    face: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.sessions.blur._MOST_HELD", 5 * pattern().nbytes)
    blur = Blur()
    ready = [len(blur.add(seen(face, frame, index, None))) for index in range(10)]
    assert ready == [0] * 5 + [1] * 5


def test_a_blurred_face_is_not_drawn_beside_itself(face: Make, frame: Make) -> None:
    """The spatial transformer's own picture, and the lines of guided backpropagation."""
    drawn = np.zeros((48, 48), np.float32)
    attention = {"warped": drawn, "guided": drawn, "cam": drawn}
    whole = seen(face, frame, 0, Box(100.0, 80.0, 160.0, 140.0))
    one = whole.faces[0]
    prediction = replace(one.prediction, attention=attention)
    blur = Blur()
    blur.add(replace(whole, faces=(replace(one, prediction=prediction),)))
    (out,) = blur.rest()
    assert list(out.faces[0].prediction.attention) == ["cam"]
    assert list(prediction.attention) == ["warped", "guided", "cam"]


def test_a_face_that_leaves_the_picture_is_blurred_as_far_as_it_is_in_it(
    face: Make, frame: Make
) -> None:
    box = Box(-30.0, 200.0, 40.0, 270.0)
    (blurred,) = pictures(seen(face, frame, 0, box))
    inside = Box(0.0, 205.0, 35.0, 240.0)
    assert detail(blurred, inside) < 0.05 * detail(pattern(), inside)
    (outside,) = pictures(seen(face, frame, 0, Box(-90.0, 0.0, -60.0, 30.0)))
    assert (outside == pattern()).all()


def test_a_recording_asked_to_blur_keeps_no_face(
    make_writer: Make, frame: Make, face: Make
) -> None:
    box, corner = Box(100.0, 80.0, 160.0, 140.0), Box(0.0, 0.0, 60.0, 30.0)
    writer = make_writer(video=VideoOptions(tuple(VIDEOS), blur=True, overlays=()), wait=True)
    writer.add(seen(face, frame, 0, box))
    writer.close()
    videos = open_session(writer.path).videos
    assert len(videos) == len(VIDEOS)
    for video in videos:
        reader = VideoReader(video)
        picture = reader.picture(0)
        reader.close()
        assert picture is not None
        assert detail(picture, box) < 0.03 * detail(pattern(), box)
        assert detail(picture, corner) > 0.9 * detail(pattern(), corner)
