"""The thread and the queue of a stream, with senders that hang and fail."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from app.streams.base import Marker, Sample, Stream, StreamError

if TYPE_CHECKING:
    from tests.streams.conftest import Maker

Eventually = Callable[..., None]


class Wire:
    """Remember what was sent; hang until `open` is set, fail while `cut` is."""

    listeners: int | None = None
    lost = 0

    def __init__(self) -> None:
        self.open = threading.Event()
        self.open.set()
        self.cut = False
        self.closed = 0
        self.sent: list[int | str] = []

    def send(self, sample: Sample) -> None:
        self.open.wait(30)
        if self.cut:
            raise ConnectionError("the wire is cut")
        self.sent.append(sample.index)

    def mark(self, marker: Marker) -> None:
        self.open.wait(30)
        self.sent.append(marker.key)

    def close(self) -> None:
        self.closed += 1


def test_everything_arrives_in_order_and_the_end_waits_for_it(make: Maker) -> None:
    wire = Wire()
    stream = Stream("test", "nowhere", lambda: wire)
    for index in range(20):
        stream.write(make.result(index))
    stream.mark(Marker(1.0, "3"))
    stream.close()
    assert wire.sent == [*range(20), "3"]
    assert wire.closed == 1
    status = stream.status()
    assert (status.sent, status.dropped, status.error) == (20, 0, "")


def test_a_sender_that_hangs_never_holds_up_and_the_oldest_is_dropped_and_counted(
    make: Maker, eventually: Eventually
) -> None:
    wire = Wire()
    wire.open.clear()
    stream = Stream("test", "nowhere", lambda: wire, capacity=8)
    result = make.result(0)
    begun = time.perf_counter()
    for _ in range(1000):
        stream.write(result)
    stream.mark(Marker(1.0, "7"))
    assert time.perf_counter() - begun < 5.0
    assert stream.status().dropped > 980
    wire.open.set()
    stream.close()
    status = stream.status()
    assert status.sent + status.dropped == 1000
    assert wire.sent[-1] == "7"  # markers are never the ones to go


def test_samples_that_wait_hold_no_picture(make: Maker) -> None:
    result = make.result(5, make.face(1))
    sample = Sample.of(result)
    assert (sample.index, sample.width, sample.height) == (5, 320, 240)
    assert not hasattr(sample, "frame")
    assert sample.faces == result.faces


def test_a_stream_that_breaks_off_comes_back_by_itself(make: Maker, eventually: Eventually) -> None:
    wires = [Wire()]
    back = threading.Event()

    def open_wire() -> Wire:
        if wires[-1].closed:
            if not back.is_set():
                raise ConnectionError("still cut")
            wires.append(Wire())
        return wires[-1]

    stream = Stream("test", "nowhere", open_wire, retry_seconds=0.05)
    wires[0].cut = True
    stream.write(make.result(0))
    eventually(lambda: stream.status().error)
    assert "broke off" in stream.status().error
    back.set()
    eventually(lambda: not stream.status().error)
    stream.write(make.result(1))
    stream.close()
    assert len(wires) == 2
    assert wires[1].sent == [1]
    assert stream.status().dropped == 1


def test_a_stream_that_cannot_be_opened_says_so_at_once() -> None:
    def refuse() -> Wire:
        raise StreamError("Nothing is there.")

    with pytest.raises(StreamError, match="Nothing is there"):
        Stream("test", "nowhere", refuse)
    assert not [t for t in threading.enumerate() if t.name.startswith("mien-stream")]


def test_after_the_end_nothing_is_taken_in(make: Maker) -> None:
    wire = Wire()
    stream = Stream("test", "nowhere", lambda: wire)
    stream.close()
    stream.close()
    stream.write(make.result(0))
    assert wire.sent == []
    assert wire.closed == 1
