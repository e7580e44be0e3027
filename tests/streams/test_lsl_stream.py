"""The Lab Streaming Layer, heard and spoken by pylsl itself."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from app.streams.base import Marker, Stream, StreamError
from app.streams.lsl import LslClock, LslMarkers, LslSender, channels

pylsl = pytest.importorskip("pylsl")

if TYPE_CHECKING:
    from tests.streams.conftest import Maker

Eventually = Callable[..., None]

pytestmark = pytest.mark.usefixtures("lsl_at_home")


def stream_on() -> Stream:
    return Stream("lsl", "the local network", LslSender)


def inlet_of(kind: str) -> Any:
    (info, *_) = pylsl.resolve_byprop("type", kind, timeout=20)
    inlet = pylsl.StreamInlet(info, recover=True)
    inlet.open_stream(timeout=20)
    return inlet


def pulled(inlet: Any, count: int) -> list[tuple[list[Any], float]]:
    found: list[tuple[list[Any], float]] = []
    while len(found) < count:
        sample, stamp = inlet.pull_sample(timeout=20)
        assert sample is not None, f"only {len(found)} of {count} samples came"
        found.append((sample, stamp))
    return found


def test_faces_arrive_by_channel_on_lsl_s_own_clock(make: Maker) -> None:
    stream = stream_on()
    try:
        stream.write(make.result(0, make.face(1)))  # makes the outlet
        inlet = inlet_of("Expression")
        captured_at = time.monotonic()
        stream.write(make.result(8, make.face(1), make.face(2, x=10.0), at=captured_at))
        stream.write(make.result(9, at=captured_at + 0.04))
        one, two, none = pulled(inlet, 3)
        described = names_of(inlet.info(timeout=20))
    finally:
        stream.close()
    assert described == [name for name, _ in channels(make.labels)]
    values = dict(zip(described, one[0], strict=True))
    assert (values["frame"], values["face_id"], values["label"]) == (8, 1, 1)
    assert values["confidence"] == pytest.approx(0.6)
    assert (values["box_x"], values["box_width"], values["finder_score"]) == (100, 64, 3.5)
    assert values["raw_happiness"] == pytest.approx(0.75)
    assert values["smooth_happiness"] == pytest.approx(0.6)
    assert math.isnan(values["corrected_happiness"])
    assert two[0][1] == 2
    assert one[1] == two[1]
    # The moment of capture, not that of sending.
    assert one[1] == pytest.approx(captured_at + pylsl.local_clock() - time.monotonic(), abs=0.005)
    assert none[1] - one[1] == pytest.approx(0.04, abs=1e-6)
    assert none[0][:2] == [9, 0]
    assert all(math.isnan(value) for value in none[0][2:])


def names_of(info: Any) -> list[str]:
    names, channel = [], info.desc().child("channels").child("channel")
    while not channel.empty():
        names.append(channel.child_value("label"))
        channel = channel.next_sibling()
    return names


def test_an_inlet_finds_the_outlet_again_after_a_restart(make: Maker) -> None:
    stream = stream_on()
    stream.write(make.result(0, make.face(1)))
    inlet = inlet_of("Expression")
    stream.write(make.result(1, make.face(1)))
    assert pulled(inlet, 1)[0][0][0] == 1
    stream.close()
    again = stream_on()
    try:
        deadline = time.monotonic() + 30
        found, index = None, 2
        while found is None and time.monotonic() < deadline:
            again.write(make.result(index, make.face(1)))
            index += 1
            found, _ = inlet.pull_sample(timeout=0.1)
        assert found is not None
        assert found[0] >= 2
    finally:
        again.close()


def test_another_model_gives_another_outlet(make: Maker) -> None:
    stream = stream_on()
    try:
        stream.write(make.result(0, make.face(1)))
        assert names_of(inlet_of("Expression").info(timeout=20))[-1] == "corrected_surprise"
        stream.write(make.result(1, make.face(1, labels=("calm", "joy"))))
        stream.write(make.result(2))
        deadline = time.monotonic() + 20
        found: list[str] = []
        while found[-1:] != ["corrected_joy"]:
            assert time.monotonic() < deadline
            for info in pylsl.resolve_byprop("type", "Expression", timeout=2):
                if info.channel_count() == len(channels(("calm", "joy"))):
                    found = names_of(pylsl.StreamInlet(info).info(timeout=20))
    finally:
        stream.close()


def test_markers_go_out(eventually: Eventually) -> None:
    stream = stream_on()
    try:
        inlet = inlet_of("Markers")
        moment = time.monotonic()
        stream.mark(Marker(moment, "4"))
        stream.mark(Marker(moment, "note", "door opens"))
        stream.mark(Marker(moment, "show", "puppy"))
        stream.mark(Marker(moment, "over", "puppy"))
        found = pulled(inlet, 4)
    finally:
        stream.close()
    assert [one[0] for one in found] == [["4"], ["door opens"], ["show puppy"], ["over puppy"]]
    assert found[0][1] == pytest.approx(moment + pylsl.local_clock() - time.monotonic(), abs=0.005)


def test_markers_of_others_come_in_on_our_clock_and_again_after_a_restart(
    eventually: Eventually,
) -> None:
    heard: list[Marker] = []
    markers = LslMarkers(heard.append)
    try:
        for text in ("begin", "again"):
            info = pylsl.StreamInfo("paradigm", "Markers", 1, 0, "string", "somebody else")
            outlet = pylsl.StreamOutlet(info)
            assert outlet.wait_for_consumers(20)
            time.sleep(0.2)
            moment = time.monotonic()
            outlet.push_sample([text], pylsl.local_clock() - 1.5)
            eventually(lambda text=text: heard and heard[-1].text == text)
            assert heard[-1].key == "lsl"
            assert heard[-1].time == pytest.approx(moment - 1.5, abs=0.02)
            del outlet
    finally:
        markers.close()


@pytest.mark.parametrize("stamp", [float("nan"), float("inf"), 1.7e12, -5e6])
def test_a_marker_with_an_impossible_stamp_counts_from_its_arrival(stamp: float) -> None:
    class Inlet:
        def pull_chunk(self, *, timeout: float) -> tuple[list[list[str]], list[float]]:
            assert timeout == 0.0
            return [["stimulus"]], [stamp]

        def time_correction(self, *, timeout: float) -> float:
            return timeout - timeout

    heard: list[Marker] = []
    markers = LslMarkers(heard.append)
    markers.close()
    before = time.monotonic()
    markers._pull(Inlet())
    assert before <= heard[0].time <= time.monotonic()
    assert heard[0].text == "stimulus"


class Unreachable:
    """Stand for pylsl: streams whose names begin with "dead" never open, "good" ones do."""

    local_clock = staticmethod(time.monotonic)

    def __init__(self, *names: str) -> None:
        self.inlets: dict[str, Unreachable.Inlet] = {}
        self.opened: list[str] = []
        outer = self

        class Resolver:
            def __init__(self, **_: str) -> None: ...

            def results(self) -> list[Unreachable.Info]:
                return [Unreachable.Info(name) for name in names]

        def inlet(info: Unreachable.Info, *, recover: bool) -> Unreachable.Inlet:
            assert not recover
            self.opened.append(info.name)
            return outer.inlets.setdefault(info.name, Unreachable.Inlet(info.name))

        self.ContinuousResolver = Resolver
        self.StreamInlet = inlet

    @dataclass
    class Info:
        name: str

        def uid(self) -> str:
            return self.name

        def source_id(self) -> str:
            return self.name

    class Inlet:
        def __init__(self, name: str) -> None:
            self.name = name
            self.waiting: list[float] = []

        def open_stream(self, *, timeout: float) -> None:
            if self.name.startswith("dead"):
                time.sleep(timeout)
                raise TimeoutError

        def time_correction(self, *, timeout: float) -> float:
            return timeout - timeout

        def pull_chunk(self, *, timeout: float) -> tuple[list[list[str]], list[float]]:
            stamps, self.waiting = self.waiting, []
            return [["x"]] * len(stamps), stamps


def test_streams_that_cannot_be_reached_hold_up_no_other(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    lsl = Unreachable("dead one", "good", "dead two")
    monkeypatch.setattr("app.streams.lsl._pylsl", lambda: lsl)
    monkeypatch.setattr("app.streams.lsl._OPEN_SECONDS", 1.0)
    late: list[float] = []
    begun = time.monotonic()
    markers = LslMarkers(lambda marker: late.append(time.monotonic() - marker.time))
    try:
        eventually(lambda: "good" in lsl.inlets)
        while time.monotonic() - begun < 3.5:  # they would have been tried anew by then
            lsl.inlets["good"].waiting.append(time.monotonic())
            time.sleep(0.1)
        eventually(lambda: not lsl.inlets["good"].waiting)
    finally:
        markers.close()
    assert len(late) > 20
    assert max(late) < 0.5, "a pause of two seconds each"
    assert np.median(late) < 0.1
    assert sorted(lsl.opened) == ["dead one", "dead two", "good"], "each once within the time"


def test_a_stream_that_did_not_open_is_tried_again_later(
    monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    lsl = Unreachable("dead")
    monkeypatch.setattr("app.streams.lsl._pylsl", lambda: lsl)
    monkeypatch.setattr("app.streams.lsl._OPEN_SECONDS", 0.01)
    monkeypatch.setattr("app.streams.lsl._REST_SECONDS", 0.05)
    monkeypatch.setattr("app.streams.lsl._LOOK_SECONDS", 0.02)
    markers = LslMarkers(lambda _: None)
    try:
        eventually(lambda: len(lsl.opened) > 2)
    finally:
        markers.close()


def test_our_own_markers_do_not_come_back(eventually: Eventually) -> None:
    heard: list[Marker] = []
    stream = Stream("lsl", "the local network", lambda: LslSender(heard.append))
    try:
        inlet = inlet_of("Markers")  # it is out there for all to hear
        other = pylsl.StreamOutlet(pylsl.StreamInfo("other", "Markers", 1, 0, "string", "other"))
        assert other.wait_for_consumers(20)
        stream.mark(Marker(time.monotonic(), "1"))
        assert pulled(inlet, 1)[0][0] == ["1"]
        other.push_sample(["theirs"])
        eventually(lambda: heard)
        assert [marker.text for marker in heard] == ["theirs"]
    finally:
        stream.close()


def test_clocks_that_began_at_other_times_are_told_apart() -> None:
    clock = LslClock(lambda: time.monotonic() + 1000.0)
    assert clock.to_lsl(5.0) == pytest.approx(1005.0, abs=1e-3)
    assert clock.from_lsl(clock.to_lsl(5.0)) == pytest.approx(5.0, abs=1e-9)


def test_a_missing_library_is_one_sentence_with_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(StreamError, match="pip install pylsl"):
        LslSender()
