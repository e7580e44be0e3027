"""The thread that makes slow maps beside the picture."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from app.live import explaining
from app.live.engine import Engine, EngineOptions, EngineState
from app.live.explaining import Explaining
from app.messages import FaceResult, FrameResult
from app.overlays.maps import attention_map
from app.views import GUIDED, OCCLUSION
from models.runtime.card import ModelError
from models.runtime.labels import FER2013, FERPLUS
from tests.live_program.scripted import ScriptedClassifier, ScriptedSource

if TYPE_CHECKING:
    from tests.live_program.conftest import Easel
    from tests.live_program.scripted import Stage


@dataclass
class Classifier:
    labels: tuple[str, ...] = FERPLUS
    input_size: int = 48


class Marker:
    """Explain a crop by its first pixel and the label: what was asked can be read off the map."""

    def __init__(self, name: str = GUIDED) -> None:
        self.name = name
        self.labels_at_once = False
        self.asked: list[tuple[int, int]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.error: Exception | None = None

    def explain_labels(
        self, crop: NDArray[np.uint8], label_indices: Sequence[int]
    ) -> list[NDArray[np.float32]]:
        return [self._explain(crop, label) for label in label_indices]

    def _explain(self, crop: NDArray[np.uint8], label_index: int) -> NDArray[np.float32]:
        self.asked.append((int(crop[0, 0]), label_index))
        assert self.may_go.wait(10)
        if self.error is not None:
            raise self.error
        found = np.zeros(crop.shape, np.float32)
        found[int(crop[0, 0]) % 48, label_index] = 1
        return found


class World:
    """Hold what surrounds the thread under test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(explaining, "_LEAST_WAIT", 0.001)
        self.classifier: Any = Classifier()
        self.explainers: list[Any] = [Marker(GUIDED), Marker(OCCLUSION)]
        self.said: list[str] = []
        self.broken: Exception | None = None
        self.explaining = Explaining(lambda: self.classifier, self.make, self.said.append)

    def make(self, classifier: Any, say: Callable[[str], None]) -> Sequence[Any]:
        assert classifier is self.classifier
        if self.broken is not None:
            raise self.broken
        return self.explainers

    def map_of(self, result: FrameResult, view: str = GUIDED) -> NDArray[np.float32] | None:
        """Return the map that the result's only face has got."""
        (face,) = result.faces
        return attention_map(face, view)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    made = World(monkeypatch)
    yield made
    for explainer in made.explainers:
        explainer.may_go.set()
    made.explaining.stop()
    assert made.explaining.join(5)


def marked(face: FaceResult, mark: int) -> FaceResult:
    return replace(face, crop=np.full((48, 48), mark, np.uint8))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.002)


def test_a_map_comes_to_its_own_track_and_label(world: World, easel: Easel) -> None:
    world.explaining.choose(GUIDED)
    two = (
        marked(easel.face(track=4, label="sadness"), 7),
        marked(easel.face(track=9, label="happiness"), 30),
    )
    seen: list[FrameResult] = []

    def both() -> bool:
        seen.append(world.explaining.see(easel.at(1 + 0.001 * len(seen), *two)))
        return all(attention_map(face, GUIDED) is not None for face in seen[-1].faces)

    until(both)
    for face, mark in zip(seen[-1].faces, (7, 30), strict=True):
        found = attention_map(face, GUIDED)
        assert found is not None
        place = np.unravel_index(int(found.argmax()), found.shape)
        assert list(map(int, place)) == [mark, FERPLUS.index(face.label)]
    assert GUIDED not in two[0].prediction.attention, "the result itself stays as it is"


def test_the_second_likeliest_label_is_explained_too(world: World, easel: Easel) -> None:
    face = easel.face(label="fear", confidence=0.6)
    face.probabilities[FERPLUS.index("anger")] = 0.35
    world.explaining.choose(GUIDED)
    until(lambda: GUIDED in world.explaining.see(easel.at(1, face)).faces[0].prediction.attention)
    result = world.explaining.see(easel.at(1, face))
    maps = result.faces[0].prediction.attention[GUIDED]
    explained = [label for label, values in zip(FERPLUS, maps, strict=True) if values.any()]
    known = [label for label in explained if not np.isnan(maps[FERPLUS.index(label)]).any()]
    assert set(known) == {"fear", "anger"}


def test_a_label_without_a_map_does_not_wait_for_a_long_rest(
    world: World, easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_RESTS", 1e6)  # for minutes, or until a label lacks its map
    marker = world.explainers[0]
    afraid, sad = easel.face(label="fear"), easel.face(label="sadness")
    world.explaining.choose(GUIDED)
    until(lambda: world.map_of(world.explaining.see(easel.at(1, afraid))) is not None)
    for frame in range(10):
        world.explaining.see(easel.at(1.01 + frame / 100, afraid))
        time.sleep(0.005)
    asked = len(marker.asked)
    assert asked == 2, "once for each of the two likeliest labels"
    until(lambda: world.map_of(world.explaining.see(easel.at(1.2, sad))) is not None)
    assert len(marker.asked) > asked


def test_labels_that_cost_nothing_more_are_asked_for_at_once(world: World, easel: Easel) -> None:
    both = world.explainers[0]
    both.labels_at_once = True
    world.explaining.choose(GUIDED)
    result = easel.at(1, marked(easel.face(label="fear"), 7))
    until(lambda: world.map_of(world.explaining.see(result)) is not None)
    assert both.asked[0] == (7, FERPLUS.index("fear"))
    assert len(both.asked) >= 2


def test_the_newest_crop_wins_and_the_picture_never_waits(world: World, easel: Easel) -> None:
    marker = world.explainers[0]
    marker.may_go.clear()
    world.explaining.choose(GUIDED)
    world.explaining.see(easel.at(1, marked(easel.face(), 1)))
    until(lambda: len(marker.asked) == 1)
    began = time.monotonic()
    for mark in range(2, 40):
        world.explaining.see(easel.at(1, marked(easel.face(), mark)))
    assert time.monotonic() - began < 5, "it waited for the explanation"
    marker.may_go.set()
    until(lambda: len(marker.asked) >= 4)
    assert [mark for mark, _ in marker.asked[:4]] == [1, 1, 39, 39]


def test_an_old_map_is_dropped(world: World, easel: Easel) -> None:
    world.explaining.choose(GUIDED)
    face = easel.face()
    until(lambda: world.map_of(world.explaining.see(easel.at(10, face))) is not None)
    world.explainers[0].may_go.clear()
    assert world.map_of(world.explaining.see(easel.at(10.4, face))) is not None
    assert world.map_of(world.explaining.see(easel.at(14, face))) is None
    assert world.map_of(world.explaining.see(easel.at(9, face))) is None, "time ran back"


def test_only_slow_views_are_made(world: World, easel: Easel) -> None:
    result = easel.at(1, easel.face())
    for view in ("", "cam", "unheard of"):
        world.explaining.choose(view)
        assert world.explaining.see(result) is result
    world.explaining.choose(GUIDED)
    until(lambda: world.map_of(world.explaining.see(result)) is not None)
    world.explaining.choose(OCCLUSION)
    assert world.map_of(world.explaining.see(result)) is None
    until(lambda: world.map_of(world.explaining.see(result), OCCLUSION) is not None)
    world.explaining.choose("")
    assert world.explaining.see(result) is result


def test_crops_of_another_model_are_not_explained(world: World, easel: Easel) -> None:
    world.explaining.choose(GUIDED)
    before = easel.face(labels=FER2013)
    small = replace(easel.face(), crop=np.zeros((44, 44), np.uint8))
    for _ in range(20):
        world.explaining.see(easel.at(1, before, small))
        time.sleep(0.005)
    assert world.explainers[0].asked == []
    world.classifier = Classifier(FER2013)
    until(lambda: world.map_of(world.explaining.see(easel.at(1, before))) is not None)


def test_a_map_of_the_model_before_is_not_shown_as_the_new_one_s(
    world: World, easel: Easel
) -> None:
    world.explaining.choose(GUIDED)
    face = easel.face()
    until(lambda: world.map_of(world.explaining.see(easel.at(1, face))) is not None)
    world.explainers[0].may_go.clear()
    world.classifier = Classifier()
    assert world.map_of(world.explaining.see(easel.at(1.1, face))) is None
    world.explainers[0].may_go.set()
    until(lambda: world.map_of(world.explaining.see(easel.at(1.2, face))) is not None)


def test_a_picture_after_which_none_comes_gets_its_maps_too(world: World, easel: Easel) -> None:
    marker = world.explainers[0]
    world.explaining.choose(GUIDED)
    faces = [marked(easel.face(track=track), track) for track in (3, 4)]
    assert world.map_of(world.explaining.see(easel.at(1, faces[0]))) is None
    until(lambda: len(marker.asked) > 0)  # so that one has a map already, of an older frame
    world.explaining.see(easel.at(2, *faces))
    seen: list[FrameResult] = []

    def both() -> bool:
        again = world.explaining.see_again()
        seen.extend([again] if again is not None else [])
        found = seen[-1].faces if seen else ()
        return bool(found) and all(attention_map(face, GUIDED) is not None for face in found)

    until(both)
    assert seen[-1].frame.captured_at == 2
    asked = len(marker.asked)
    for _ in range(20):
        assert world.explaining.see_again() is None, "nothing new"
        time.sleep(0.002)
    assert len(marker.asked) == asked, "each face of a frame is explained once"


def test_a_view_chosen_while_nothing_moves_is_made(world: World, easel: Easel) -> None:
    world.explaining.see(easel.at(1, easel.face()))
    assert world.explaining.see_again() is None
    world.explaining.choose(OCCLUSION)
    seen: list[FrameResult | None] = []

    def shown() -> bool:
        seen.append(world.explaining.see_again())
        return seen[-1] is not None and world.map_of(seen[-1], OCCLUSION) is not None

    until(shown)
    world.classifier = Classifier()
    world.explaining.choose(GUIDED)
    assert world.explaining.see_again() is None, "the result is that of the model before"


def test_a_still_picture_gets_its_slow_view_and_listeners_hear_of_it_once(
    stage: Stage, easel: Easel
) -> None:
    marker, heard = Marker(), list[FrameResult]()
    makers = replace(stage.makers(), explainers=lambda classifier, say: [marker])
    stage.pipeline.process = lambda frame: FrameResult(  # type: ignore[method-assign]
        frame, (easel.face(labels=ScriptedClassifier().labels),)
    )
    stage.sources["still"] = lambda: ScriptedSource(1)
    engine = Engine(EngineOptions(source="still"), makers)
    engine.add_listener(heard.append)
    engine.start()
    try:
        until(lambda: engine.status().state is EngineState.ENDED)
        engine.use_view(GUIDED)
        until(lambda: has_map(engine.latest(), GUIDED))
    finally:
        engine.stop()
    assert len(heard) == 1


def has_map(result: FrameResult | None, view: str) -> bool:
    return result is not None and attention_map(result.faces[0], view) is not None


def test_a_view_that_fails_is_given_up_and_the_others_go_on(world: World, easel: Easel) -> None:
    world.explainers[0].error = ValueError("no such layer")
    world.explaining.choose(GUIDED)
    result = easel.at(1, easel.face())

    def given_up() -> bool:
        assert world.map_of(world.explaining.see(result)) is None
        return bool(world.said)

    until(given_up)
    assert world.said == [
        "Guided backpropagation cannot be shown with this model: it failed (ValueError: no such "
        "layer)."
    ]
    assert world.explaining.given_up == {GUIDED: "it failed (ValueError: no such layer)"}
    asked = len(world.explainers[0].asked)
    world.explaining.choose(OCCLUSION)
    until(lambda: world.map_of(world.explaining.see(result), OCCLUSION) is not None)
    assert len(world.explainers[0].asked) == asked
    world.classifier = Classifier()
    assert world.explaining.given_up == {}, "another model may do better"


def test_one_failure_is_no_reason_to_give_up(world: World, easel: Easel) -> None:
    marker = world.explainers[0]
    marker.error = ValueError("once")
    world.explaining.choose(GUIDED)
    result = easel.at(1, easel.face())
    world.explaining.see(result)
    until(lambda: len(marker.asked) == 1)
    marker.error = None
    until(lambda: world.map_of(world.explaining.see(result)) is not None)
    assert world.said == []


def test_explanations_that_cannot_be_made_say_why(world: World, easel: Easel) -> None:
    world.broken = ModelError("net.guided.onnx: expected a graph, found a poem")
    world.explaining.choose(OCCLUSION)

    def said() -> bool:
        world.explaining.see(easel.at(1, easel.face()))
        return bool(world.said)

    until(said)
    assert "expected a graph, found a poem" in world.explaining.given_up[OCCLUSION]


def test_what_always_comes_too_late_is_given_up(
    world: World, easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explaining, "_TOO_SLOW", -1.0)
    world.explaining.choose(GUIDED)

    def said() -> bool:
        world.explaining.see(easel.at(1, easel.face()))
        return bool(world.said)

    until(said)
    assert "s a face on this computer" in world.explaining.given_up[GUIDED]
    assert len(world.explainers[0].asked) == 4, "not after the first, which also loads"


def test_loading_what_explains_is_no_reason_to_rest(
    world: World, easel: Easel, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def load(classifier: Any, say: Callable[[str], None]) -> Sequence[Any]:
        now[0] += 3600.0
        return world.explainers

    clock = SimpleNamespace(perf_counter=lambda: now[0], thread_time=time.thread_time)
    monkeypatch.setattr(explaining, "time", clock)
    slow = Explaining(lambda: world.classifier, load, world.said.append)
    slow.choose(GUIDED)
    try:
        until(lambda: world.map_of(slow.see(easel.at(1, easel.face()))) is not None)
        face = easel.face(track=2)
        until(lambda: world.map_of(slow.see(easel.at(1.1, face))) is not None)
        assert world.map_of(slow.see(easel.at(3, face))) is None, "a map is not shown for longer"
    finally:
        slow.stop()
        assert slow.join(5)


def test_it_ends_while_it_explains_and_when_it_never_began(world: World, easel: Easel) -> None:
    idle = Explaining(lambda: None, world.make, world.said.append)
    idle.stop()
    assert idle.join(0)
    world.explainers[0].may_go.clear()
    world.explaining.choose(GUIDED)
    world.explaining.see(easel.at(1, easel.face()))
    until(lambda: bool(world.explainers[0].asked))
    world.explaining.stop()
    world.explainers[0].may_go.set()
    assert world.explaining.join(5)


def test_the_engine_shows_a_real_model_s_slow_view() -> None:
    engine = Engine(EngineOptions(source="actor"))
    engine.use_view(OCCLUSION)
    engine.start()
    found: list[FaceResult] = []

    def explained() -> bool:
        result = engine.take(0.5)
        faces = result.faces if result is not None else ()
        found.extend(face for face in faces if attention_map(face, OCCLUSION) is not None)
        return bool(found)

    try:
        deadline = time.monotonic() + 60
        while not explained():
            assert time.monotonic() < deadline, engine.take_notices()
        offers = engine.offers()
    finally:
        engine.stop()
    maps = found[0].prediction.attention[OCCLUSION]
    assert maps.shape == (8, 48, 48)
    assert offers.find(OCCLUSION) is not None
    assert offers.find("theta") is None
