"""Markers of a recording: which are kept, and which are said not to be."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.live.engine import EngineState
from app.live.recorder import RecordingOptions
from app.live.status import EngineStatus
from app.messages import Calibration, FrameResult
from tests.sessions.conftest import START
from tests.sessions.stage import (
    Numbered,
    Stage,
    begin,
    let_go,
    sessions,
    until,
)

Make = Callable[..., Any]


def test_markers_of_a_recording_without_a_frame_are_said_to_be_lost(
    stage: Stage, tmp_path: Path
) -> None:
    stage.sources["film"] = Numbered(5)
    recorder = begin(stage.play("film"), RecordingOptions(tmp_path))
    recorder.mark("note", "nobody there")
    recorder.stop()
    assert recorder.take_notices() == [
        "No frame came, so nothing was recorded and the markers are not kept."
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_marker_after_the_disk_has_ended_the_recording_is_not_said_to_be_kept(
    stage: Stage, tmp_path: Path
) -> None:
    stage.sources["film"] = film = Numbered(10_000)
    recorder = begin(stage.play("film"), RecordingOptions(tmp_path))
    let_go(film)
    until(lambda: recorder.status().folder)
    assert recorder.mark("1")
    writer = recorder._writer
    assert writer is not None
    writer._give_up("The disk is full.")
    assert not recorder.mark("2"), "nobody has asked for the status yet"


def test_a_neutral_face_is_marked_only_when_it_was_measured(
    tmp_path: Path, face: Make, frame: Make
) -> None:
    listeners: list[Callable[[FrameResult], None]] = []
    engine: Any = SimpleNamespace(
        labels=(),
        card=None,
        generation=1,
        status=lambda: EngineStatus(EngineState.RUNNING),
        source_facts=dict,
        add_listener=listeners.append,
        remove_listener=lambda listener: None,
        add_drop_listener=lambda listener: None,
        remove_drop_listener=lambda listener: None,
    )
    recorder = begin(engine, RecordingOptions(tmp_path))
    measured = np.array([0.6, 0.3, 0.1], np.float32)
    given_up = Calibration(0.0, "The face was not at rest.", given_up=True)
    stands = [Calibration(0.9), None, Calibration(0.1), given_up, given_up, None]
    for index, calibration in enumerate(stands):
        corrected = measured if index else None
        shown = face(2, corrected=corrected, calibration=calibration)
        listeners[0](frame(index, shown, after=time.monotonic() - START.monotonic))
    assert recorder.close(30)
    (session,) = sessions(tmp_path)
    marks = session.markers.to_pylist()
    assert [(mark["key"], mark["text"]) for mark in marks] == [("neutral", "face 2")]
    at = session.frames["session_time"][1].as_py()
    assert marks[0]["session_time"] == pytest.approx(at, abs=1e-6)
