"""The device that films are heard from, asked for samples as PortAudio asks."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.errors import SourceError
from app.study import speaker
from app.study.soundtrack import Onset, SoundTrack
from app.study.speaker import DeviceClock, Speaker, why_no_speaker
from tests.studies.sounding import RATE, PaperDevice, clicks, write_film

BLOCK = 960


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> PaperDevice:
    made = PaperDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


@pytest.fixture
def opened(device: PaperDevice) -> Iterator[Speaker]:
    made = Speaker()
    yield made
    made.close()
    assert speaker._open_count == 0


def asked(opened: Speaker, current: float, due: float) -> NDArray[np.float32]:
    out = np.full((BLOCK, 2), np.nan, np.float32)
    times = SimpleNamespace(currentTime=current, outputBufferDacTime=due)
    opened._stream.callback(out, BLOCK, times, None)
    return out


def test_the_device_is_open_and_silent_before_a_film(opened: Speaker, device: PaperDevice) -> None:
    assert (opened.rate, opened.channels) == (RATE, 2)
    assert device.streams[0].active
    assert not asked(opened, 5.0, 5.1).any()


def test_samples_are_placed_by_the_moment_at_which_they_are_heard(
    opened: Speaker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("av")
    onset = Onset(began_at=1000.0)
    track = SoundTrack(write_film(tmp_path / "a.mkv"), RATE, 2, onset)
    opened.add(track)
    blocks, ahead = [], 0.08
    shaken = np.random.default_rng(1).normal(0, 0.004, 110)
    for number in range(110):
        at = 999.8 + number * BLOCK / RATE  # the moment at which this block is heard
        while track._thread.is_alive() and track._decoded_to < (at - 999.9) * RATE:
            time.sleep(0.002)
        monkeypatch.setattr(
            "app.study.speaker.time.monotonic", lambda at=at, n=number: at - ahead + shaken[n]
        )
        blocks.append(asked(opened, 50.0 + number, 50.0 + number + ahead))
    samples = np.concatenate(blocks)
    assert clicks(samples) == pytest.approx([0.2, 1.2], abs=0.004), "as steady as their median"
    assert np.abs(samples).max() <= 1.0
    opened.remove(track)
    assert not asked(opened, 200.0, 200.1).any()
    track.close()


def test_what_a_device_says_of_a_single_block_is_not_believed() -> None:
    clock = DeviceClock(1000, 0.1)
    first = clock.heard_at(10.0, 0.0, 0.0, 100)
    assert first == pytest.approx(10.1), "it said nothing, so its latency counts"
    for number in range(1, 20):
        wrong = 1.5 if number == 10 else 0.0
        at = clock.heard_at(10.0 + 0.1 * number, 5.0, 5.1 + wrong, 100)
        assert at == pytest.approx(10.1 + 0.1 * number)
    # It stood still for 0.3 s: what was given is heard so much later.
    moments = [clock.heard_at(12.3 + 0.1 * number, 5.0, 5.1, 100) for number in range(8)]
    assert moments[0] == pytest.approx(12.1)
    assert moments[-1] == pytest.approx(12.4 + 0.7)


def test_a_device_that_takes_nothing_any_more_is_gone(opened: Speaker, device: PaperDevice) -> None:
    now = time.monotonic()
    assert not opened.gone(now + 2.5)
    assert opened.gone(now + 3.5)
    asked(opened, 1.0, 1.1)
    assert not opened.gone(time.monotonic())
    device.streams[0].active = False
    assert opened.gone(time.monotonic())


def test_devices_are_looked_for_anew_but_not_under_an_open_one(device: PaperDevice) -> None:
    assert why_no_speaker() == ""
    made = Speaker()
    assert device.looked_anew == 2
    assert why_no_speaker() == ""
    assert device.looked_anew == 2
    made.close()
    assert device.streams[0].closed
    assert why_no_speaker() == ""
    assert device.looked_anew == 3


def test_no_device_is_said(device: PaperDevice) -> None:
    device.fails = "Error querying device -1"
    said = "no device for sound can be used (Error querying device -1); connect one"
    assert why_no_speaker().startswith(said)
    with pytest.raises(SourceError, match="no device for sound can be used"):
        Speaker()


def test_a_device_with_one_channel_is_given_one(device: PaperDevice) -> None:
    device.form["max_output_channels"] = 1
    made = Speaker()
    assert (made.channels, device.streams[0].channels) == (1, 1)
    made.close()


def test_what_lacks_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    assert why_no_speaker() == "the package sounddevice is not installed"

    class NoPortAudio:
        def find_spec(self, name: str, *_: object) -> Any:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice")
    monkeypatch.setattr("sys.meta_path", [NoPortAudio(), *sys.meta_path])
    assert "sudo apt install libportaudio2" in why_no_speaker()


def test_a_device_that_never_closes_is_left_alone(
    device: PaperDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.study.speaker._CLOSE_SECONDS", 0.05)
    made = Speaker()
    stuck = speaker._library
    assert stuck.acquire(timeout=1)
    made.close()
    assert "does not answer" in why_no_speaker()
    stuck.release()
    speaker._open_count = 0
