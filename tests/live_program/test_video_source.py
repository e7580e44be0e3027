from __future__ import annotations

import struct
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from app.errors import SourceError
from app.messages import Frame
from app.sources.video import VideoSource

SIZE = (64, 48)


def write_video(path: Path, *, count: int = 60, fps: float = 30.0) -> Path:
    """Write a film whose top half is white and which brightens below from frame to frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), fps, SIZE)
    noise = np.random.default_rng(0)
    for number in range(count):
        picture = noise.integers(0, 40, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
        picture += np.uint8(number * 2)
        picture[: SIZE[1] // 2] = 255
        writer.write(picture)
    writer.release()
    return path


def play(path: Path, *, paced: bool = False) -> tuple[list[Frame], VideoSource]:
    with VideoSource(path, paced=paced) as source:
        return list(iter(source.read, None)), source


def turn_clockwise(path: Path) -> None:
    """Mark an MP4 to be shown turned by 90 degrees, as telephones do."""
    data = bytearray(path.read_bytes())
    matrix = data.rindex(b"tkhd") + 44
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(">9i", 0, one, 0, -one, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


def slow_down_after(path: Path, frames: int, factor: int) -> None:
    """Give an MP4 a variable frame rate: later frames stay `factor` times as long."""
    data = bytearray(path.read_bytes())
    moov = data.rindex(b"moov")
    table = data.index(b"stts", moov)
    entries, count, delta = struct.unpack_from(">3I", data, table + 8)
    assert entries == 1
    new = struct.pack(">5I", 2, frames, delta, count - frames, delta * factor)
    data[table + 8 : table + 20] = new
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stts"):
        size = data.index(kind, moov) - 4
        struct.pack_into(">I", data, size, struct.unpack_from(">I", data, size)[0] + 8)
    # Its edit list would end the film at the old length.
    edits = data.index(b"edts", moov)
    data[edits : edits + 4] = b"free"
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mkv", "größe 笑.mp4"])
def test_every_frame_comes_once_at_its_time(tmp_path: Path, name: str) -> None:
    frames, source = play(write_video(tmp_path / name))
    assert source.name == name
    assert source.fps == pytest.approx(30.0)
    assert not source.live
    assert len(frames) == 60
    times = [frame.media_time for frame in frames]
    assert times == pytest.approx([number / 30 for number in range(60)], abs=0.001)
    levels = [frame.image[SIZE[1] * 3 // 4 :].mean() for frame in frames]
    assert levels == sorted(levels)
    assert source.notice == ""


def test_a_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", count=30)
    slow_down_after(path, 10, 3)
    frames, source = play(path)
    times = np.array([frame.media_time for frame in frames])
    assert len(times) == 30
    assert np.diff(times)[:10] == pytest.approx(1 / 30, abs=0.001)
    assert np.diff(times)[10:] == pytest.approx(3 / 30, abs=0.001)
    assert source.notice == ""


def test_a_turned_film_is_shown_upright(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", count=5)
    turn_clockwise(path)
    frames, _ = play(path)
    picture = frames[0].image
    assert picture.shape == (SIZE[0], SIZE[1], 3)
    right, left = picture[:, -SIZE[1] // 3 :], picture[:, : SIZE[1] // 3]
    assert right.mean() > 240  # the white top half has moved to the right
    assert left.mean() < 60


def test_paced_takes_as_long_as_the_film(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4", count=13)
    begun = time.monotonic()
    frames, _ = play(path, paced=True)
    assert time.monotonic() - begun >= 12 / 30
    gaps = [frame.captured_at - (frame.media_time or 0.0) for frame in frames]
    assert min(gaps) >= gaps[0] - 0.005  # none comes before its time


def test_a_film_that_is_cut_off_plays_what_it_has(tmp_path: Path) -> None:
    whole, _ = play(write_video(tmp_path / "whole.avi"))
    data = (tmp_path / "whole.avi").read_bytes()
    cut = tmp_path / "cut.avi"
    cut.write_bytes(data[: len(data) // 2])
    frames, source = play(cut)
    assert 5 < len(frames) < 50
    for frame, original in zip(frames[:-1], whole, strict=False):
        assert np.array_equal(frame.image, original.image)
    assert '"cut.avi" ended after' in source.notice
    assert "of 2.0 seconds" in source.notice


def test_a_film_damaged_in_its_middle_plays_on_behind_it(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.mp4")
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 3000] = np.random.default_rng(1).bytes(3000)
    path.write_bytes(data)
    frames, source = play(path)
    times = [frame.media_time or 0.0 for frame in frames]
    assert times == sorted(set(times))
    assert 20 < len(frames) < 60
    assert times[-1] == pytest.approx(59 / 30, abs=0.001)
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert source.notice == 'Damaged frames of "a.mp4" were skipped.'


@pytest.mark.parametrize("fault", ["junk", "empty", "text", "no index", "header only"])
def test_what_cannot_be_played_is_one_sentence_and_no_noise(
    tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = write_video(tmp_path / "whole.mp4", count=10).read_bytes()
    avi = write_video(tmp_path / "whole.avi", count=10).read_bytes()
    content = {
        "junk": np.random.default_rng(2).bytes(5000),
        "empty": b"",
        "text": b"This is no film.\n" * 50,
        "no index": whole[: len(whole) // 2],
        "header only": avi[: avi.index(b"movi") + 4],
    }[fault]
    path = tmp_path / "bad.mp4"
    path.write_bytes(content)
    capfd.readouterr()
    said = "is empty" if fault == "empty" else "cannot be played"
    with pytest.raises(SourceError, match=rf'bad\.mp4" {said}'):
        VideoSource(path)
    assert capfd.readouterr() == ("", "")


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        VideoSource(tmp_path / "gone.mp4")
