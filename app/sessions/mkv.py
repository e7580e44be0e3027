"""A video file that survives a kill: JPEG pictures in Matroska, each with its own time.

Every picture is a cluster of its own, written at once, so the file is whole after each of them and
needs no end. Times are those given, not a frame rate's. Finishing adds an index and the length, by
which players jump; a file without them plays all the same. The container is that of RFC 9559, the
codec is V_MJPEG (RFC 9559 keeps the codecs in its companion draft-ietf-cellar-codec).
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray

from app.sessions.appending import AppendedFile

__all__ = ["Pictures", "VideoFile", "VideoReader", "finish_video", "read_pictures"]

TICK = 1e-4
"""Seconds in which times are counted."""

_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067
_SEEK_HEAD, _SEEK, _SEEK_ID, _SEEK_POSITION = 0x114D9B74, 0x4DBB, 0x53AB, 0x53AC
_INFO, _SCALE, _DURATION, _MUXER, _WRITER = 0x1549A966, 0x2AD7B1, 0x4489, 0x4D80, 0x5741
_TRACKS, _TRACK, _NUMBER, _UID, _LACING, _TYPE = 0x1654AE6B, 0xAE, 0xD7, 0x73C5, 0x9C, 0x83
_CODEC, _VIDEO, _WIDTH, _HEIGHT, _FRAME_TIME = 0x86, 0xE0, 0xB0, 0xBA, 0x23E383
_CLUSTER, _TIME, _BLOCK = 0x1F43B675, 0xE7, 0xA3
_CUES, _CUE, _CUE_TIME, _CUE_PLACE = 0x1C53BB6B, 0xBB, 0xB3, 0xB7
_CUE_TRACK, _CUE_CLUSTER, _VOID = 0xF7, 0xF1, 0xEC
_PROGRAM = b"Mien"
_UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"
# Room at the beginning of the segment for what is known only at the end: the place of the index,
# and behind the head of the Info the length.
_RESERVED = 64
_INFO_HEAD = 5
_LENGTH = 11
_CUE_TICKS = round(1 / TICK)
_WIDE = struct.Struct(">Q")


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Say where the pictures of a file lie.

    times: (N,) float64 s, growing. offsets, sizes: (N,) int64 bytes, of each JPEG. clusters: (N,)
    int64 bytes, where each one's cluster begins.
    """

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    sizes: NDArray[np.int64]
    clusters: NDArray[np.int64]


class VideoFile:
    """Write pictures with their times."""

    def __init__(self, path: Path, width: int, height: int, *, fps: float = 30.0) -> None:
        """Begin the file; width, height in pixels, fps as a hint for players. Raises `OSError`."""
        self._file = AppendedFile(path, _header(width, height, fps))
        self._path = path
        self._last = -1

    @property
    def size(self) -> int:
        """Return the bytes written so far."""
        return self._file.size

    def add(self, jpeg: bytes, time: float) -> None:
        """Append an encoded picture; time in s, 0 or more, later than the one before.

        Raises `OSError`; the file then ends with the picture before.
        """
        ticks = max(round(time / TICK), self._last + 1)
        # Track 1, no time of its own within the cluster, a key frame.
        block = b"\x81\x00\x00\x80" + jpeg
        self._file.append(_element(_CLUSTER, _number(_TIME, ticks) + _element(_BLOCK, block)))
        self._last = ticks

    def close(self) -> None:
        """Close the file and add what players jump by. Raises `OSError`."""
        self._file.close()
        finish_video(self._path)


def finish_video(path: Path) -> None:
    """Add index and length to a file that has none; a last picture cut short is taken off.

    Does nothing to one that is finished. Raises `OSError`.
    """
    with path.open("r+b") as file:
        begin, known = _find_segment(file)
        if known:
            return
        found = _scan(file, begin)
        if not len(found.times):
            return
        end = int(found.offsets[-1] + found.sizes[-1])
        file.truncate(end)
        file.seek(end)
        cues = _cues(found, begin)
        file.write(cues)
        # In this order: what is there stays readable should this be cut short, too.
        file.seek(begin)
        file.write(_seek_head(end - begin))
        file.seek(begin + _RESERVED + _INFO_HEAD)
        seconds = float(found.times[-1])
        file.write(_element(_DURATION, struct.pack(">d", seconds / TICK)))
        file.seek(0)
        usual = file.read(begin + 256).find(_frame_time(1)[:4])
        if usual > 0 and seconds > 0 and len(found.times) > 1:
            file.seek(usual)
            file.write(_frame_time(seconds / (len(found.times) - 1)))
        file.seek(begin - 8)
        file.write(_size_of(end + len(cues) - begin))


def read_pictures(path: Path) -> Pictures:
    """Find the pictures of a file, finished or not, by their headers alone. Raises `OSError`."""
    with path.open("rb") as file:
        begin, _ = _find_segment(file)
        return _scan(file, begin)


class VideoReader:
    """Read any picture of a file, finished or not, without those before it."""

    def __init__(self, path: Path) -> None:
        """Find where the pictures lie. Raises `OSError`."""
        self.pictures = read_pictures(path)
        self._file = path.open("rb")

    def __len__(self) -> int:
        return len(self.pictures.times)

    def near(self, time: float) -> int | None:
        """Return the number of the picture of that time, s; None where there is none."""
        times = self.pictures.times
        place = int(np.searchsorted(times, time - TICK))
        return place if place < len(times) and times[place] <= time + TICK else None

    def picture(self, number: int) -> NDArray[np.uint8] | None:
        """Return a picture as (H, W, 3) uint8 BGR, None where it is damaged."""
        self._file.seek(int(self.pictures.offsets[number]))
        data = np.frombuffer(self._file.read(int(self.pictures.sizes[number])), np.uint8)
        image = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
        return None if image is None else np.asarray(image, np.uint8)

    def close(self) -> None:
        self._file.close()


def _header(width: int, height: int, fps: float) -> bytes:
    ebml = _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8)
    ebml += _element(0x4282, b"matroska") + _number(0x4287, 4) + _number(0x4285, 2)
    info = _void(_LENGTH) + _number(_SCALE, round(TICK * 1e9))
    info += _element(_MUXER, _PROGRAM) + _element(_WRITER, _PROGRAM)
    video = _element(_VIDEO, _number(_WIDTH, width) + _number(_HEIGHT, height))
    track = _number(_NUMBER, 1) + _number(_UID, 1) + _number(_TYPE, 1) + _number(_LACING, 0)
    track += _frame_time(1 / fps) + _element(_CODEC, b"V_MJPEG") + video
    return (
        _element(_EBML, ebml) + _id(_SEGMENT) + _UNKNOWN + _void(_RESERVED)
        + _element(_INFO, info) + _element(_TRACKS, _element(_TRACK, track))
    )  # fmt: skip


def _cues(found: Pictures, begin: int) -> bytes:
    parts, due = bytearray(), 0
    ticks = np.round(found.times / TICK).astype(np.int64)
    for time, cluster in zip(ticks.tolist(), found.clusters.tolist(), strict=True):
        if time >= due:
            place = _number(_CUE_TRACK, 1) + _number(_CUE_CLUSTER, cluster - begin)
            parts += _element(_CUE, _number(_CUE_TIME, time) + _element(_CUE_PLACE, place))
            due = time + _CUE_TICKS
    return _element(_CUES, bytes(parts))


def _frame_time(seconds: float) -> bytes:
    """Return the usual time from picture to picture; some players jump by it."""
    return _element(_FRAME_TIME, _WIDE.pack(round(1e9 * seconds)))


def _seek_head(cues: int) -> bytes:
    """Return what fills the reserved room: where the cues are."""
    seek = _element(_SEEK_ID, _id(_CUES)) + _element(_SEEK_POSITION, _WIDE.pack(cues))
    head = _element(_SEEK_HEAD, _element(_SEEK, seek))
    return head + _void(_RESERVED - len(head))


def _find_segment(file: BinaryIO) -> tuple[int, bool]:
    """Return where the segment's content begins, and whether its size is known: finished."""
    file.seek(0)
    head = file.read(256)
    at = head.find(_id(_SEGMENT))
    if not head.startswith(_id(_EBML)) or at < 0:
        raise OSError(f"{file.name} is no video of Mien's")
    return at + 12, head[at + 4 : at + 12] != _UNKNOWN


def _scan(file: BinaryIO, begin: int) -> Pictures:
    times, offsets, sizes, clusters = array("d"), array("q"), array("q"), array("q")
    for time, offset, size, cluster in _clusters(file, begin):
        times.append(time)
        offsets.append(offset)
        sizes.append(size)
        clusters.append(cluster)
    return Pictures(
        np.array(times), np.array(offsets, np.int64), np.array(sizes, np.int64),
        np.array(clusters, np.int64),
    )  # fmt: skip


def _clusters(file: BinaryIO, at: int) -> Iterator[tuple[float, int, int, int]]:
    """Yield time, offset and size of each whole picture, and where its cluster begins."""
    end = file.seek(0, 2)
    while True:
        file.seek(at)
        head = file.read(32)
        key, size, inner = _read_head(head, 0)
        if not key or at + inner + size > end:
            return
        if key == _CLUSTER:
            _, long, start = _read_head(head, inner)
            ticks = int.from_bytes(head[start : start + long], "big")
            _, block, content = _read_head(head, start + long)
            yield ticks * TICK, at + content + 4, block - 4, at
        at += inner + size


def _read_head(data: bytes, at: int) -> tuple[int, int, int]:
    """Return ID, size and where the content of an element begins; ID 0 where there is none."""
    if at >= len(data) or not data[at]:
        return 0, 0, at
    wide = 9 - data[at].bit_length()
    key, at = int.from_bytes(data[at : at + wide], "big"), at + wide
    if at >= len(data) or not data[at]:
        return 0, 0, at
    wide = 9 - data[at].bit_length()
    size = int.from_bytes(data[at : at + wide], "big") & ((1 << 7 * wide) - 1)
    return key, size, at + wide


def _id(key: int) -> bytes:
    return key.to_bytes((key.bit_length() + 7) // 8, "big")


def _size_of(count: int) -> bytes:
    """Return a size in eight bytes."""
    return _WIDE.pack(count | 1 << 56)


def _element(key: int, content: bytes) -> bytes:
    if len(content) < 127:
        return _id(key) + bytes([len(content) | 0x80]) + content
    return _id(key) + _size_of(len(content)) + content


def _number(key: int, value: int) -> bytes:
    return _element(key, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def _void(count: int) -> bytes:
    """Return an element of so many bytes, at least 2, that means nothing."""
    return _element(_VOID, bytes(count - 2))
