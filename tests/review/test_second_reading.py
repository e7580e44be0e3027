from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.faces.alignment import align
from app.messages import Box, Face
from app.review.compare import agreement, neutral_words
from app.review.edited import Edited, edited
from app.review.edits import EditList, Exclude
from app.review.pictures import VideoPictures
from app.review.recording import LandmarkReader, ReviewError, open_recording
from app.review.second import (
    Second,
    Stopped,
    read_again,
    read_second,
    second_files,
    write_second,
)
from app.sessions.folder import open_session
from models.runtime.store import load_model

LABELS = ("neutral", "happiness", "anger")


def noise_film(path: Path, frames: int) -> None:
    rng = np.random.default_rng(1)
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (160, 120)
    )
    for _ in range(frames):
        coarse = rng.integers(0, 255, (12, 16, 3), dtype=np.uint8)
        writer.write(cv2.resize(coarse, (160, 120)))
    writer.release()


def test_every_row_is_read_as_the_live_program_would(session: Path) -> None:
    noise_film(session / "video.mkv", 50)
    recording = open_recording(session)
    pictures = VideoPictures(session / "video.mkv", recording.frame_times)
    classifier = load_model("mini_xception.fer2013", provider="CPU")
    told: list[tuple[int, int]] = []
    second = read_again(
        recording,
        pictures,
        classifier,
        report=lambda done, total: told.append((done, total)),
        stopped=lambda: False,
    )
    assert told[-1] == (120, 120)
    # Face 2 comes at frame 40: its first row is not smoothed yet.
    row = int(np.flatnonzero(recording.tracks == 2)[0])
    image = pictures.picture(40)
    assert image is not None
    landmarks = LandmarkReader(recording).of_row(row)
    face = Face(Box(20, 30, 60, 70), 1.0, landmarks)
    crop = align(image, face, classifier.input_size, field=classifier.input_field).crop
    (said,) = classifier.classify([crop])
    np.testing.assert_allclose(second.shown[:, row], said.probabilities, atol=2e-4)
    assert second.labels == classifier.labels
    sure = float(second.shown[:, row].max()) >= classifier.unsure_below
    assert second.decided[row] == (second.shown[:, row].argmax() if sure else -1)
    pictures.close()
    path = write_second(session, second)
    assert second_files(session) == [path]
    again = read_second(path, recording)
    assert (again.model, again.labels) == (second.model, second.labels)
    np.testing.assert_array_equal(again.shown, second.shown)
    np.testing.assert_array_equal(again.decided, second.decided)


def test_it_can_be_stopped_and_says_when_there_is_nothing_to_read(session: Path) -> None:
    recording = open_recording(session)
    classifier = load_model("mini_xception.fer2013", provider="CPU")
    missing = VideoPictures(session / "nowhere.mkv", recording.frame_times)
    with pytest.raises(Stopped):
        read_again(recording, missing, classifier, report=print, stopped=lambda: True)
    with pytest.raises(ReviewError, match="No picture of this session"):
        read_again(recording, missing, classifier, report=lambda *_: None, stopped=lambda: False)


def test_a_reading_of_another_session_is_refused(session: Path) -> None:
    recording = open_recording(session)
    path = write_second(session, made(edited(recording, EditList())))
    with pytest.raises(ReviewError, match="190 rows, expected 3"):
        read_second(path, replace(recording, tracks=recording.tracks[:3]))
    path.write_bytes(b"PAR1 but no more")
    with pytest.raises(ReviewError, match="cannot be opened"):
        read_second(path, recording)


def made(state: Edited) -> Second:
    """Return a reading that takes happiness for surprise and is unsure of one row of anger."""
    recording = state.recording
    labels = ("anger", "surprise", "neutral")
    places = np.array([2, 1, 0], np.int16)
    shown = np.full((3, len(recording.tracks)), 0.1, np.float32)
    decided = places[recording.decided]
    shown[decided, np.arange(len(decided))] = 0.8
    decided[np.flatnonzero(recording.tracks == 2)[0]] = -1
    read = np.ones(len(decided), bool)
    read[np.flatnonzero(recording.tracks == 2)[-1]] = False
    return Second("other", labels, shown, decided, read)


def test_agreement_counts_what_both_are_sure_of(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    second = made(state)
    whole = (0.0, 99.0)
    one = agreement(state, second, 1, *whole)
    assert (one.rows, one.sure) == (120, 120)
    assert one.same == pytest.approx(0.5)
    changes = {change.label: change for change in one.changes}
    assert list(changes) == ["happiness", "surprise", "neutral", "anger"]
    assert changes["happiness"].first == pytest.approx(0.5)
    assert changes["happiness"].second is None
    assert changes["surprise"].first is None
    assert changes["surprise"].second == pytest.approx(0.5)
    assert changes["neutral"].both == pytest.approx(0.5)
    assert changes["neutral"].moved == pytest.approx(0.0, abs=1e-6)
    two = agreement(state, second, 2, *whole)
    assert (two.rows, two.sure, two.same) == (39, 38, 1.0)
    assert two.kappa is None, "by chance alone they would agree, too"
    assert two.table[3, 4] == 1
    assert two.labels[3] == "anger"


def test_kappa_is_agreement_beyond_chance(session: Path) -> None:
    state = edited(open_recording(session), EditList())
    second = made(state)
    # Of face 1, neutral is kept and happiness called surprise: chance is a quarter.
    one = agreement(state, second, 1, 0.0, 7.95)
    assert one.same == pytest.approx(0.5)
    assert one.kappa == pytest.approx((0.5 - 0.25) / 0.75)


def test_only_what_counts_is_compared(session: Path) -> None:
    recording = open_recording(session)
    state = edited(recording, EditList((Exclude(1, 0.0, 1.95),)))
    assert agreement(state, made(state), 1, 0.0, 99.0).rows == 100
    nothing = agreement(state, made(state), 1, 0.0, 1.0)
    assert (nothing.rows, nothing.same, nothing.kappa) == (0, None, None)


def test_a_corrected_session_is_compared_with_a_corrected_reading(session: Path) -> None:
    # From 5 s on face 1 is relative to its neutral face, which was measured until then.
    table = open_session(session).frames
    times, owners = (np.array(table[name].to_pylist()) for name in ("session_time", "face_id"))
    after = (times >= 5.0) & (owners == 1)
    for label in LABELS:
        place = table.column_names.index(f"corrected_{label}")
        values = pa.array(np.full(len(times), 1 / 3, np.float32), mask=~after)
        table = table.set_column(place, f"corrected_{label}", values)
    pq.write_table(table, session / "frames.parquet")
    noise_film(session / "video.mkv", 120)
    recording = open_recording(session)
    assert recording.relative.tolist() == after[owners > 0].tolist()
    pictures = VideoPictures(session / "video.mkv", recording.frame_times)
    classifier = load_model("mini_xception.fer2013", provider="CPU")
    second = read_again(
        recording, pictures, classifier, report=lambda *_: None, stopped=lambda: False
    )
    plain = read_again(
        replace(recording, corrected=False, relative=np.zeros(len(recording.tracks), bool)),
        pictures, classifier, report=lambda *_: None, stopped=lambda: False,
    )  # fmt: skip
    pictures.close()
    assert second.relative
    assert not plain.relative
    rest = ~recording.relative
    np.testing.assert_array_equal(second.shown[:, rest], plain.shown[:, rest])
    change = np.log(second.shown[:, ~rest]) - np.log(plain.shown[:, ~rest])
    change -= change[0]  # up to the sum of 1
    np.testing.assert_allclose(change, np.repeat(change[:, :1], change.shape[1], 1), atol=1e-3)
    assert abs(change).max() > 0.05, "one offset, on every row after"
    assert "Both are relative" in neutral_words(recording, second)
    assert "those of the second model are not" in neutral_words(recording, plain)
    assert neutral_words(replace(recording, corrected=False), plain) == ""
    path = write_second(session, second)
    assert read_second(path, recording).relative
