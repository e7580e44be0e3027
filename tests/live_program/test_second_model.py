"""A second model beside the first, from the pipeline to the lines that are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.cli.headless import run_headless
from app.faces import make_finder
from app.faces.landmarks import Landmarker, make_landmarker
from app.live.engine import EngineOptions, EngineState
from app.live.pipeline import Pipeline
from app.messages import Box, Face, FaceResult, Frame, FrameResult, SecondWord
from app.sources.actor import ActorSource
from app.streams.base import Sample
from app.streams.record import frame_record
from models.runtime.labels import FER2013, FERPLUS
from models.runtime.prediction import Prediction
from tests.live_program.scripted import Stage, wait_for_state, wait_until

Image = NDArray[np.uint8]
FPS = 30


class Steady:
    """Say one thing of every face; keep the crops."""

    def __init__(
        self,
        label: str,
        labels: tuple[str, ...] = FERPLUS,
        *,
        size: int = 48,
        field: int = 48,
        unsure_below: float = 0.0,
    ) -> None:
        self.label, self.labels = label, labels
        self.input_size, self.input_field = size, field
        self.unsure_below = unsure_below
        self.neutral_logs: NDArray[np.float64] | None = None
        self.crops: list[Image] = []

    def classify(self, crops: Sequence[Image]) -> list[Prediction]:
        self.crops.extend(crops)
        values = np.full(len(self.labels), 0.2 / (len(self.labels) - 1), np.float32)
        values[self.labels.index(self.label)] = 0.8
        return [Prediction(values, self.labels) for _ in crops]


@pytest.fixture(scope="module")
def landmarker() -> Landmarker:
    return make_landmarker()


@pytest.fixture(scope="module")
def picture() -> Image:
    with ActorSource(paced=False) as source:
        frame = source.read()
    assert frame is not None
    return frame.image


@pytest.fixture
def first() -> Steady:
    return Steady("happiness")


@pytest.fixture
def pipeline(landmarker: Landmarker, first: Steady) -> Pipeline:
    return Pipeline(make_finder("hog"), landmarker, first)


def record_of(picture: Image, face: FaceResult) -> dict[str, Any]:
    """Return what programs are told of the one face of a frame."""
    sample = Sample.of(FrameResult(Frame(picture, 0, 0.0), (face,)))
    record: dict[str, Any] = frame_record(sample)["faces"][0]
    return record


def ask(pipeline: Pipeline, second: Steady | None, name: str = "other") -> list[str]:
    """Ask a second model as well; return the list of why it was given up."""
    why: list[str] = []
    pipeline.set_second(second, name, why.append)
    return why


def play(pipeline: Pipeline, image: Image, count: int, start: int = 0) -> list[FaceResult]:
    """Return the one face of so many frames."""
    faces: list[FaceResult] = []
    for index in range(start, start + count):
        result = pipeline.process(Frame(image, index, 1000 + index / FPS, index / FPS))
        faces.extend(result.faces)
    assert len(faces) == count
    return faces


def test_without_a_second_model_there_is_no_second_word(pipeline: Pipeline, picture: Image) -> None:
    (face,) = play(pipeline, picture, 1)
    assert face.second is None
    assert face.agreed is None
    assert "second" not in record_of(picture, face)


def test_two_models_read_the_same_face(pipeline: Pipeline, first: Steady, picture: Image) -> None:
    second = Steady("sadness", FER2013)
    ask(pipeline, second)
    (face,) = play(pipeline, picture, 1)
    assert (face.label, face.prediction.labels) == ("happiness", FERPLUS)
    assert face.second is not None
    assert (face.second.label, face.second.labels) == ("sadness", FER2013)
    assert face.second.model == "other"
    assert face.second.confidence == pytest.approx(0.8, abs=1e-4)
    assert face.second.probabilities.sum() == pytest.approx(1, abs=1e-5)
    assert face.agreed is False
    assert second.crops[0] is first.crops[0]  # what both look at is cut once
    second.label = "happiness"
    assert play(pipeline, picture, FPS, start=1)[-1].agreed is True
    ask(pipeline, None)
    assert play(pipeline, picture, 1, start=FPS + 1)[0].second is None


def test_a_model_of_another_input_has_crops_of_its_own(
    pipeline: Pipeline, first: Steady, picture: Image
) -> None:
    second = Steady("anger", size=36, field=44)
    ask(pipeline, second)
    (face,) = play(pipeline, picture, 1)
    assert second.crops[0].shape == (36, 36)
    assert first.crops[0].shape == face.crop.shape == (48, 48)


def test_a_second_model_is_smoothed_as_the_first(pipeline: Pipeline, picture: Image) -> None:
    second = Steady("anger")
    ask(pipeline, second)
    play(pipeline, picture, FPS)
    second.label = "fear"
    after = play(pipeline, picture, FPS, start=FPS)
    words = [face.second.label for face in after if face.second is not None]
    assert words[0] == "anger"
    assert words[-1] == "fear"


def test_who_is_unsure_neither_agrees_nor_differs(pipeline: Pipeline, picture: Image) -> None:
    ask(pipeline, Steady("happiness", unsure_below=0.9))
    (face,) = play(pipeline, picture, 1)
    assert face.second is not None
    assert face.second.unsure
    assert face.second.said == "unsure"
    assert face.agreed is None


def test_a_neutral_face_is_measured_for_both(
    pipeline: Pipeline, first: Steady, picture: Image
) -> None:
    """Of a face that rests for long enough; what it looks like at rest is then called neutral."""
    second = Steady("anger")
    usual = np.log(np.full(len(FERPLUS), 1 / len(FERPLUS)))
    first.neutral_logs = second.neutral_logs = usual
    pipeline.set_classifier(first)
    ask(pipeline, second)
    before = play(pipeline, picture, 1)[0].second
    pipeline.calibrate(1)
    faces = play(pipeline, picture, 8 * FPS, start=1)
    assert faces[-1].corrected is not None
    after = faces[-1].second
    anger = FERPLUS.index("anger")
    assert before is not None
    assert after is not None
    assert before.probabilities[anger] > 0.75
    assert after.probabilities[anger] < 0.4
    pipeline.forget_baseline(1)
    again = play(pipeline, picture, 1, start=8 * FPS + 1)[0].second
    assert again is not None
    assert again.probabilities[anger] > 0.75


def calibrated(pipeline: Pipeline, picture: Image, *models: Steady) -> None:
    """Measure the neutral face of the first face with models that know neutral ones."""
    usual = np.log(np.full(len(FERPLUS), 1 / len(FERPLUS)))
    for model in models:
        model.neutral_logs = usual
    pipeline.set_classifier(models[0])
    if models[1:]:
        ask(pipeline, models[1])
    play(pipeline, picture, 1)
    pipeline.calibrate(1)
    assert play(pipeline, picture, 8 * FPS, start=1)[-1].corrected is not None


def test_what_only_one_model_is_corrected_for_is_not_compared(
    pipeline: Pipeline, first: Steady, picture: Image
) -> None:
    calibrated(pipeline, picture, first)
    ask(pipeline, Steady("happiness"))  # that has measured no neutral face
    face = play(pipeline, picture, 1, start=8 * FPS + 1)[0]
    assert face.corrected is not None
    assert face.second is not None
    assert not face.second.corrected
    assert not face.comparable
    assert face.agreed is None


def test_another_first_model_leaves_no_neutral_face_to_the_second(
    pipeline: Pipeline, first: Steady, picture: Image
) -> None:
    calibrated(pipeline, picture, first, Steady("happiness"))
    pipeline.set_classifier(Steady("happiness"))
    face = play(pipeline, picture, 1, start=8 * FPS + 1)[0]
    assert face.corrected is None
    assert face.second is not None
    assert not face.second.corrected
    assert face.agreed is True


def test_a_second_model_that_fails_costs_nothing_and_is_given_up(
    pipeline: Pipeline, picture: Image
) -> None:
    class Broken(Steady):
        def classify(self, crops: Sequence[Image]) -> list[Prediction]:
            self.crops.extend(crops)
            raise RuntimeError("no memory")

    second = Broken("anger")
    why = ask(pipeline, second)
    faces = play(pipeline, picture, 6)
    assert [face.second for face in faces] == [None] * 6
    assert {face.label for face in faces} == {"happiness"}
    assert len(second.crops) == 3
    assert why == ["RuntimeError: no memory"]


def test_the_second_word_is_in_the_json(picture: Image) -> None:
    word = SecondWord(
        "other", ("neutral", "anger"), np.array([0.25, 0.75], np.float32), "anger", 0.75
    )
    face = FaceResult(
        face=Face(Box(0, 0, 9, 9), 1.0, track_id=1),
        prediction=Prediction(np.array([1, 0], np.float32), ("neutral", "anger")),
        probabilities=np.array([1, 0], np.float32),
        label="neutral",
        confidence=1.0,
        crop=np.zeros((48, 48), np.uint8),
        crop_to_frame=np.eye(2, 3),
        second=word,
    )
    record = record_of(picture, face)["second"]
    assert record == {
        "model": "other",
        "label": "anger",
        "confidence": 0.75,
        "unsure": False,
        "probabilities": {"neutral": 0.25, "anger": 0.75},
    }


def test_a_second_model_comes_and_goes_while_it_runs(stage: Stage) -> None:
    """And makes no new generation: a recording, which never hears of it, is not cut in two."""
    engine = stage.engine("actor")
    wait_until(engine.latest)
    assert (engine.status().second, stage.pipeline.second) == ("", None)
    generation = engine.generation
    engine.use_second("rich")
    wait_until(lambda: stage.pipeline.second is not None)
    assert engine.status().second == "rich"
    assert (engine.status().model, engine.labels) == ("plain", ("neutral", "happiness"))
    engine.use_second("none")
    wait_until(lambda: engine.status().notices)
    assert engine.take_notices() == ["There is no model none."]
    assert engine.status().second == "rich"
    engine.use_second("")
    wait_until(lambda: stage.pipeline.second is None)
    assert (engine.status().second, engine.generation) == ("", generation)


def test_a_second_model_that_was_given_up_is_said(stage: Stage) -> None:
    engine = stage.engine("actor", second="rich")
    wait_until(engine.latest)
    stage.pipeline.second_failed("no memory")
    assert engine.status().second == ""
    said = ["The second model failed (no memory) and is no longer asked."]
    assert engine.take_notices() == said


def test_a_second_model_is_there_from_the_start(stage: Stage) -> None:
    engine = stage.engine("actor", second="rich")
    wait_until(engine.latest)
    assert engine.status().second == "rich"
    assert stage.pipeline.second is not None


def test_at_the_start_a_refused_second_model_is_done_without(stage: Stage) -> None:
    engine = stage.engine("actor", second="none")
    wait_until(engine.latest)
    assert engine.status().second == ""
    assert engine.take_notices() == ["There is no model none; no second model is asked."]


def test_without_fallback_a_refused_second_model_fails(stage: Stage) -> None:
    engine = stage.engine("actor", second="none", fallback_to_actor=False)
    wait_for_state(engine, EngineState.FAILED)
    assert engine.status().error == "There is no model none."
    engine.use_second("")
    wait_for_state(engine, EngineState.RUNNING)


def test_lines_for_people_name_both(capsys: pytest.CaptureFixture[str]) -> None:
    options = EngineOptions(
        source="actor",
        model="mini_xception.ferplus",
        second="mini_xception.fer2013",
        paced=False,
        fallback_to_actor=False,
    )
    assert run_headless(options, frames=3) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    # …  #1 happiness 98% (happiness 97%)
    assert last.count("%") == 2
    assert last.endswith("%)")
