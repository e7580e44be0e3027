"""A study as it goes on: orders, times and markers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.stimuli import Stimulus, stimuli
from app.study.protocol import BLOCKS, FIXED, PICTURE, TEXT, Protocol, Question, Show, read_protocol
from app.study.runner import CROSS, QUESTION, Runner, order_of, scenes_of

Mark = tuple[str, str, float]
PICTURES = tuple(Show(PICTURE, name, path=Path(name), seconds=2.0) for name in "abcdefgh")


def protocol(*shown: Show, **values: object) -> Protocol:
    return replace(Protocol(Path("x.toml"), "x", shown, "0"), **values)  # type: ignore[arg-type]


def runner_of(study: Protocol, participant: str = "P1") -> tuple[Runner, list[Mark]]:
    marks: list[Mark] = []
    steps = study.question.steps if study.question is not None else 0
    scenes = scenes_of(study, participant)
    return Runner(scenes, steps, lambda *mark: marks.append(mark)), marks


def test_everybody_has_an_order_of_their_own_that_stays() -> None:
    study = protocol(*PICTURES)
    orders = {code: order_of(study, code) for code in ("P1", "P2", "P3")}
    assert orders["P1"] == order_of(study, "P1")
    assert len(set(orders.values())) == 3
    assert all(set(order) == set(PICTURES) for order in orders.values())
    assert order_of(replace(study, title="y"), "P1") != orders["P1"]
    # Written down, so that an order can be drawn again by any later version.
    assert "".join(show.name for show in orders["P1"]) == "gbcafedh"


def test_texts_keep_their_places() -> None:
    first, half = Show(TEXT, "", "Look."), Show(TEXT, "half", "Half of it.")
    study = protocol(first, *PICTURES[:4], half, *PICTURES[4:])
    for code in ("P1", "P2", "P3"):
        order = order_of(study, code)
        assert (order[0], order[5]) == (first, half)
        assert set(order) == {first, half, *PICTURES}


def test_blocks_are_shuffled_by_themselves() -> None:
    text = Show(TEXT, "", "Now it begins.")
    study = protocol(*PICTURES[:3], text, *PICTURES[3:], order=BLOCKS)
    orders = [order_of(study, code) for code in ("P1", "P2", "P3")]
    for order in orders:
        assert set(order[:3]) == set(PICTURES[:3])
        assert order[3] == text
        assert set(order[4:]) == set(PICTURES[3:])
    assert len(set(orders)) == 3


def test_a_fixed_order_is_that_of_the_file() -> None:
    study = protocol(*PICTURES, order=FIXED)
    assert order_of(study, "P1") == order_of(study, "P2") == PICTURES


def test_crosses_come_before_and_questions_after_pictures_and_films() -> None:
    study = protocol(Show(TEXT, "", "Look."), PICTURES[0], question=Question("How?"))
    kinds = [scene.kind for scene in scenes_of(study, "P1")]
    assert kinds == [TEXT, CROSS, PICTURE, QUESTION]
    kinds = [scene.kind for scene in scenes_of(replace(study, pause=0.0, question=None), "P1")]
    assert kinds == [TEXT, PICTURE]


def test_a_stimulus_is_marked_from_its_painting_to_that_of_what_follows() -> None:
    run, marks = runner_of(protocol(*PICTURES[:2], order=FIXED, pause=1.0))
    run.painted(10.0)
    run.painted(10.4)  # painted again: only the first time counts
    assert not run.tick(10.9)
    assert run.tick(11.0)
    assert not run.tick(20.0), "nobody has seen the picture yet"
    run.painted(11.02)
    assert run.tick(13.03)
    run.painted(13.05)
    assert marks == [("show", "a", 11.02), ("over", "a", 13.05)]
    assert run.tick(14.05)
    run.painted(14.06)
    assert run.tick(16.1)
    assert run.scene is None
    run.finish(16.12)
    assert marks[2:] == [("show", "b", 14.06), ("over", "b", 16.12)]


def test_a_text_waits_for_a_key_and_is_marked_if_it_has_a_name() -> None:
    study = protocol(Show(TEXT, "", "Look."), Show(TEXT, "sad", "Think of something sad."))
    run, marks = runner_of(study)
    assert not run.press(1.0), "nobody has seen it yet"
    run.painted(1.0)
    assert not run.press(1.2), "nobody has read it yet"
    assert not run.tick(1000.0)
    assert run.press(2.9)
    run.painted(3.0)
    assert run.press(4.9)
    run.finish(5.0)
    assert marks == [("show", "sad", 3.0), ("over", "sad", 5.0)]


def test_a_timed_text_goes_by_itself() -> None:
    run, _ = runner_of(protocol(Show(TEXT, "sad", "Think.", seconds=4.0)))
    run.painted(1.0)
    assert not run.press(4.0)
    assert run.tick(5.0)


def test_answers_are_marked_and_others_are_not_taken() -> None:
    study = protocol(PICTURES[0], pause=0.0, question=Question("How?", steps=5))
    run, marks = runner_of(study)
    run.painted(1.0)
    assert not run.answer(3, 1.5), "nothing was asked yet"
    assert run.tick(3.0)
    assert not run.answer(3, 3.0), "nobody has read the question yet"
    run.painted(3.1)
    assert not run.answer(0, 3.5)
    assert not run.answer(6, 3.6)
    assert not run.press(3.9)
    assert run.answer(4, 4.0)
    assert marks == [("show", "a", 1.0), ("over", "a", 3.1), ("answer", "a: 4", 4.0)]
    assert run.scene is None


def test_a_film_ends_by_itself_unless_its_seconds_are_said(smiles: Path) -> None:
    study = read_protocol(smiles)
    (film,) = (one for one in study.shown if one.kind == "film")
    run, _ = runner_of(replace(study, shown=(film,), pause=0.0, question=None))
    assert not run.film_ended()
    run.painted(0.0)
    assert not run.tick(100.0)
    assert run.film_ended()
    run, _ = runner_of(
        replace(study, shown=(replace(film, seconds=9.0),), pause=0.0, question=None)
    )
    run.painted(0.0)
    assert not run.film_ended()
    assert run.tick(9.0)


def test_what_cannot_be_shown_is_passed_over_with_its_question() -> None:
    study = protocol(*PICTURES[:2], order=FIXED, pause=0.5, question=Question("How?"))
    run, marks = runner_of(study)
    run.painted(1.0)
    assert run.tick(1.5)
    run.skip()
    following = run.scene
    assert following is not None
    assert (following.kind, following.show.name) == (CROSS, "b")
    assert marks == []
    run.skip()
    run.skip()
    assert [run.scene, run.next_scene] == [None, None]


def test_a_study_that_is_stopped_gives_no_end_to_what_is_shown() -> None:
    run, marks = runner_of(protocol(*PICTURES[:2], order=FIXED, pause=0.0))
    run.painted(1.0)
    run.stop()
    assert run.scene is None
    run.finish(1.6)
    run.painted(2.0)
    assert not run.tick(9.0)
    assert marks == [("show", "a", 1.0)]


@pytest.mark.parametrize(
    ("markers", "found"),
    [
        ([(1.0, "show", "a"), (3.0, "over", "a")], [Stimulus("a", 1.0, 3.0)]),
        (
            [(1.0, "show", "a"), (3.0, "over", "a"), (4.0, "answer", "a: 5")],
            [Stimulus("a", 1.0, 3.0, 5, 4.0)],
        ),
        # Markers of others and an end without a beginning are nothing; a beginning alone is none.
        ([(0.5, "over", "a"), (1.0, "1", ""), (2.0, "show", "b")], []),
        ([(1.0, "answer", "a: 5"), (2.0, "answer", "nonsense")], []),
        # A name may hold what parts it from the step.
        (
            [(1.0, "show", "a: b"), (3.0, "over", "a: b"), (4.0, "answer", "a: b: 2")],
            [Stimulus("a: b", 1.0, 3.0, 2, 4.0)],
        ),
        # The same study twice in one recording, lines out of order.
        (
            [(7.0, "over", "a"), (1.0, "show", "a"), (3.0, "over", "a"), (5.0, "show", "a"),
             (4.0, "answer", "a: 1"), (8.0, "answer", "a: 2")],
            [Stimulus("a", 1.0, 3.0, 1, 4.0), Stimulus("a", 5.0, 7.0, 2, 8.0)],
        ),
    ],
)  # fmt: skip
def test_markers_tell_what_was_shown(markers: list[tuple[float, str, str]], found: object) -> None:
    assert stimuli(markers) == found
