"""What a study says of its participants together."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.cli.study import main
from app.errors import SessionError
from app.messages import Box, Face, FaceResult, Frame, FrameResult
from app.sessions.writer import Clock, SessionWriter
from app.study.groups import change, contrasts, curve, estimate, over, t_quantile
from app.study.report import study_report
from app.study.session import StudySession, open_study
from app.study.table import Row, rows_of
from models.runtime.prediction import Prediction

LABELS = ("neutral", "happiness")
FPS = 10.0
MARKS = (
    (2.0, "show", "puppy"), (4.0, "over", "puppy"), (4.5, "answer", "puppy: 4"),
    (6.0, "show", "wasp"), (8.0, "over", "wasp"),
)  # fmt: skip
ORDER = [
    {"name": "puppy", "kind": "picture", "condition": "pleasant", "position": 1},
    {"name": "wasp", "kind": "picture", "condition": "unpleasant", "position": 2},
]
# By how much each participant smiles more at the puppy and at the wasp than before.
SMILES = {"P1": (0.3, 0.0), "P2": (0.4, 0.1), "P3": (0.5, -0.1)}


def record_one(
    folder: Path, participant: str, smiles: tuple[float, float], labels: tuple[str, ...] = LABELS
) -> Path:
    """Record somebody who changes by so much from 0.2 while each stimulus is shown."""
    study: dict[str, Any] = {
        "title": "Smiles", "participant": participant, "variables": {}, "pause": 1.0,
        "question": "How pleasant?", "order": ORDER,
    }  # fmt: skip
    info: dict[str, object] = {"model": {"name": "test"}, "study": study}
    with SessionWriter(folder, info, labels, clock=Clock(1000.0, 1.7e9), wait=True) as writer:
        for index in range(95):
            time = index / FPS
            more = smiles[0] if 2 <= time <= 4 else smiles[1] if 6 <= time <= 8 else 0.0
            values = np.array([0.8 - more, 0.2 + more], np.float32)
            face = FaceResult(
                face=Face(Box(10, 10, 40, 40), 1.0, track_id=1),
                prediction=Prediction(values, labels),
                probabilities=values,
                label=labels[int(values.argmax())],
                confidence=float(values.max()),
                crop=np.zeros((48, 48), np.uint8),
                crop_to_frame=np.eye(2, 3),
            )
            image = np.zeros((48, 64, 3), np.uint8)
            writer.add(FrameResult(Frame(image, index, 1000.0 + time), (face,)))
        for at, key, text in MARKS:
            writer.mark(1000.0 + at, key, text)
    return folder


@pytest.fixture
def sessions(tmp_path: Path) -> list[StudySession]:
    return [open_study(record_one(tmp_path / who, who, smiles)) for who, smiles in SMILES.items()]


def rows_of_all(sessions: list[StudySession]) -> list[Row]:
    return [row for session in sessions for row in rows_of(session)]


@pytest.mark.parametrize("degrees", [*range(1, 14), 30, 100])
def test_quantiles_leave_as_much_out_as_they_say(degrees: int) -> None:
    """Of the density itself, summed up: t = tan(u) makes its whole range finite."""
    u = np.linspace(-np.pi / 2, math.atan(t_quantile(degrees)), 400_001)[1:]
    t = np.tan(u)
    constant = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2))
    density = constant / math.sqrt(degrees * math.pi) * (1 + t**2 / degrees) ** (-(degrees + 1) / 2)
    inside = np.trapezoid(density * (1 + t**2), u)
    assert inside == pytest.approx(0.975, abs=2e-5)


def test_an_interval_holds_the_true_mean_nineteen_times_in_twenty() -> None:
    draw = np.random.default_rng(3)
    held = 0
    for _ in range(2000):
        found = estimate(draw.normal(1.0, 2.0, 6).tolist())
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.0 <= found.high
    assert held / 2000 == pytest.approx(0.95, abs=0.015)


def test_one_participant_has_no_interval() -> None:
    found = estimate([0.4])
    assert (found.n, found.mean, found.low, found.high) == (1, 0.4, None, None)
    assert not found.is_apart


def test_changes_are_averaged_over_participants(sessions: list[StudySession]) -> None:
    found = over(rows_of_all(sessions), "stimulus", change)
    puppy = found["puppy"]["happiness"]
    assert puppy.n == 3
    assert puppy.mean == pytest.approx(0.4, abs=1e-5)
    assert puppy.high is not None
    assert puppy.high - puppy.mean == pytest.approx(4.3027 * 0.1 / math.sqrt(3), abs=1e-4)
    assert puppy.is_apart
    assert not found["wasp"]["happiness"].is_apart
    assert found["wasp"]["neutral"].mean == pytest.approx(0.0, abs=1e-5)
    assert "unsure" not in found["puppy"]


def test_several_sessions_of_one_participant_count_once(
    tmp_path: Path, sessions: list[StudySession]
) -> None:
    again = open_study(record_one(tmp_path / "again", "P1", (0.1, 0.0)))
    puppy = over(rows_of_all([*sessions, again]), "stimulus", change)["puppy"]["happiness"]
    assert puppy.n == 3
    assert puppy.mean == pytest.approx((0.2 + 0.4 + 0.5) / 3, abs=1e-5)


def test_conditions_differ_within_participants(sessions: list[StudySession]) -> None:
    (found,) = contrasts(rows_of_all(sessions), change)
    assert (found.more, found.less) == ("pleasant", "unpleasant")
    assert found.of["happiness"].n == 3
    assert found.of["happiness"].mean == pytest.approx((0.3 + 0.3 + 0.6) / 3, abs=1e-5)
    assert contrasts(rows_of_all(sessions[:1]), change) == [], "one participant has no interval"


def test_a_curve_is_the_mean_over_participants(sessions: list[StudySession]) -> None:
    found = curve(sessions, "puppy")
    assert found is not None
    assert found.lags[[0, -1]].tolist() == [-0.875, 2.875]  # its pause, two seconds and one more
    assert found.counts.tolist() == [3] * 16
    happiness = found.mean[LABELS.index("happiness")]
    assert happiness[:4] == pytest.approx(0.2, abs=1e-5)
    assert happiness[4:12] == pytest.approx(0.6, abs=1e-5)
    assert found.error[1][6] == pytest.approx(0.1 / math.sqrt(3), abs=1e-5)
    assert curve(sessions, "nothing") is None


def test_the_page_says_what_was_found(sessions: list[StudySession]) -> None:
    page = study_report(sessions, ["P1 looked <away>"])
    assert "<h1>Smiles</h1>" in page
    assert "<tr><th>Participants</th><td>3</td></tr>" in page
    assert "P1 looked &lt;away&gt;." in page
    assert page.count('<svg class="chart"') == 2
    assert "pleasant \N{MINUS SIGN} unpleasant" in page
    assert "<b>40.0</b><br><span class='quiet'>15.2 to 64.8</span>" in page
    assert "Seen by 3 participants, 2.0 s each." in page
    assert "Answered 4.00 (4.00\N{EN DASH}4.00) on the average." in page
    assert "Not feelings." in page
    assert "http" not in page, "it needs nothing from elsewhere"


def test_other_studies_and_labels_are_not_mixed(
    tmp_path: Path, sessions: list[StudySession]
) -> None:
    other = open_study(record_one(tmp_path / "other", "P9", (0.1, 0.0), ("neutral", "sadness")))
    with pytest.raises(SessionError, match="read with the same labels"):
        study_report([*sessions, other], [])
    frowns = replace(sessions[0], study={**sessions[0].study, "title": "Frowns"})
    with pytest.raises(SessionError, match="found those of Smiles, Frowns; choose one"):
        study_report([*sessions, frowns], [])


def test_the_command_writes_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "recordings"
    for who, smiles in SMILES.items():
        record_one(folder / who, who, smiles)
    page = tmp_path / "smiles.html"
    assert main(["report", str(folder), "--study", "Smiles", "-o", str(page)]) == 0
    assert capsys.readouterr().out == f"3 sessions: {page}\n"
    assert page.read_text("utf-8").startswith("<!DOCTYPE html>")
    assert main(["report", str(folder), "--study", "Frowns", "-o", str(page)]) == 2
    assert "expected sessions of 'Frowns', found those of Smiles" in capsys.readouterr().err
    assert main(["report", str(folder), "-o", str(tmp_path / "smiles.pdf")]) == 2
