"""What a card says of reading faces: how it is measured, and what an unsure face is live."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.live.smoother import Smoother
from app.messages import UNSURE, Prediction
from models.card_rules import LEAST, PRECISION, base_rates, neutral_mean, too_few, unsure_rule
from models.explain.explainers import explainers_for
from models.explain.guided import guided_file
from models.explain.note import note_file, read_note
from models.runtime.card import UnsureRule
from models.runtime.errors import UserError
from models.runtime.store import bundled, load_model

LABELS = ("neutral", "happiness")


def said(happiness: float) -> Prediction:
    return Prediction(np.array([1 - happiness, happiness], np.float32), LABELS)


def rule_of(probabilities: NDArray[np.float32], truth: NDArray[np.int64]) -> UnsureRule:
    rule = unsure_rule(probabilities, truth, split="PublicTest")
    assert rule is not None
    return rule


def drawn(count: int = 4000) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return calibrated probabilities of two labels, and labels drawn from them."""
    random = np.random.default_rng(5)
    confidence = random.uniform(0.5, 1.0, count)
    label = random.integers(0, 2, count)
    values = np.stack([1 - confidence, confidence], axis=1)
    values[label == 0] = values[label == 0][:, ::-1]
    right = random.random(count) < confidence
    return values.astype(np.float32), np.where(right, label, 1 - label)


def test_the_threshold_keeps_the_precision_and_no_lower_one_does() -> None:
    probabilities, truth = drawn()
    rule = rule_of(probabilities, truth)
    # For calibrated numbers spread evenly from 0.5 to 1, the mean above t is (1 + t) / 2.
    assert rule.threshold == pytest.approx(0.8, abs=0.05)
    confidence, right = probabilities.max(1), probabilities.argmax(1) == truth
    labelled = confidence >= rule.threshold
    assert rule.precision >= PRECISION
    assert rule.precision == pytest.approx(right[labelled].mean(), abs=1e-4)
    assert rule.coverage == pytest.approx(labelled.mean(), abs=1e-4)
    assert (rule.n, rule.split) == (4000, "PublicTest")
    for lower in np.sort(confidence[confidence < rule.threshold])[::50]:
        assert right[confidence >= lower].mean() < PRECISION


def test_a_model_that_is_always_right_is_always_sure() -> None:
    probabilities = np.tile(np.array([[0.4, 0.6]], np.float32), (200, 1))
    rule = rule_of(probabilities, np.ones(200, np.int64))
    assert (rule.precision, rule.coverage) == (1, 1)
    assert rule.threshold <= 0.6


def test_of_too_few_pictures_there_is_no_rule_and_nobody_is_unsure() -> None:
    probabilities = np.tile(np.array([[0.4, 0.6]], np.float32), (LEAST, 1))
    right = np.ones(LEAST, np.int64)
    assert unsure_rule(probabilities[1:], right[1:], split="PublicTest") is None
    assert unsure_rule(probabilities, right, split="PublicTest") is not None
    assert "at least 50 pictures" in too_few(LEAST - 1, "PublicTest")


def test_a_model_that_is_never_right_is_never_sure() -> None:
    probabilities = np.tile(np.array([[0.1, 0.9]], np.float32), (200, 1))
    rule = rule_of(probabilities, np.zeros(200, np.int64))
    assert (rule.threshold, rule.coverage) == (1, 0)


def test_sure_of_what_is_wrong_is_never_sure() -> None:
    probabilities = np.tile(np.array([[0.0, 1.0]], np.float32), (200, 1))
    rule = rule_of(probabilities, np.array([0, 1] * 100))
    assert (rule.threshold, rule.coverage) == (1, 0)
    smoother = Smoother()
    smoother.unsure_below = rule.threshold
    assert smoother.update(1, Prediction(probabilities[0], LABELS), 0.0).unsure


def test_equal_confidences_are_taken_together() -> None:
    """Half of those at 0.7 are right: sorted by luck, some of them would look better."""
    probabilities = np.array([[0.1, 0.9]] * 100 + [[0.3, 0.7]] * 100, np.float32)
    truth = np.array([1] * 150 + [0] * 50)
    rule = rule_of(probabilities, truth)
    assert rule.threshold == pytest.approx(0.9, abs=1e-3)
    assert (rule.precision, rule.coverage) == (1, 0.5)


def test_the_mean_of_neutral_faces() -> None:
    probabilities = np.array([[0.5, 0.5], [0.8, 0.2], [0.0, 1.0]], np.float32)
    means = neutral_mean(probabilities, np.array([0, 0, 1]), LABELS)
    assert means == pytest.approx(np.log([0.5 * 0.8, 0.5 * 0.2]) / 2, abs=1e-4)
    assert neutral_mean(probabilities, np.array([1, 1, 1]), LABELS) == ()
    assert neutral_mean(probabilities, np.array([0, 0, 1]), ("joy", "happiness")) == ()


def test_the_base_rates_are_what_the_model_says_on_the_whole() -> None:
    probabilities = np.array([[0.9, 0.1]] * 30 + [[0.5, 0.5]] * 30, np.float32)
    assert base_rates(probabilities) == pytest.approx((0.7, 0.3))
    assert base_rates(probabilities[: LEAST - 1]) == ()
    never = np.array([[1.0, 0.0]] * LEAST, np.float32)
    assert base_rates(never) == (1.0, 0.001), "others are divided by it"


@pytest.mark.train
def test_a_model_exported_earlier_gets_all_and_stays_the_same_otherwise(tmp_path: Path) -> None:
    from models.card_rules import refresh
    from models.data.face_set import FaceSet

    entry = bundled()[0]
    path = tmp_path / entry.file.name
    for file in (entry.file, entry.file.with_suffix(".json"), guided_file(entry.file)):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    note = note_file(entry.file)
    (tmp_path / note.name).write_bytes(note.read_bytes())
    random = np.random.default_rng(0)
    votes = np.zeros((80, 10), np.uint8)
    votes[np.arange(80), np.arange(80) % 2] = 10  # neutral and happiness in turn
    faces = FaceSet(
        random.integers(0, 255, (80, 48, 48), np.uint8), np.zeros(80, np.int64), votes,
        np.array(["PublicTest"] * 80), np.array([f"{row}.png" for row in range(80)]),
    )  # fmt: skip
    card = refresh(path, faces)
    assert {rule.n for rule in card.unsure.values()} == {80}
    assert card.unsure != entry.card.unsure
    assert set(card.neutral) == set(card.base_rates) == {"one", "mirror"}
    assert card.base_rates != entry.card.base_rates
    model = load_model(str(path))
    assert model.card == card, "the card beside fits the one inside, and the file its hash"
    assert replace(card, unsure={}, neutral={}, base_rates={}, file=None) == replace(
        entry.card, unsure={}, neutral={}, base_rates={}, file=None
    )
    crop = np.full((48, 48), 128, np.uint8)
    before = load_model(entry.name).classify([crop])[0].probabilities
    np.testing.assert_allclose(model.classify([crop])[0].probabilities, before, atol=1e-6)
    assert read_note(path) == read_note(entry.file)
    assert "guided" in {each.name for each in explainers_for(model)}
    with pytest.raises(UserError, match=r"at least 50 PublicTest pictures of ferplus .* found 49"):
        refresh(path, faces.select(np.arange(49)))
    assert load_model(str(path)).card == card


@pytest.mark.parametrize("entry", bundled(), ids=lambda entry: entry.name)
def test_every_bundled_model_has_its_rule_and_its_mean(entry: object) -> None:
    card = load_model(entry.name).card  # type: ignore[attr-defined]
    for crops in ("one", "mirror"):
        rule = card.unsure[crops]
        assert rule.precision >= PRECISION
        assert 0.2 < rule.coverage < 1
        assert 0.3 < rule.threshold < 1
        assert rule.split == "PublicTest"
        assert card.neutral[crops][card.labels.index("neutral")] == max(card.neutral[crops])


def test_the_classifier_goes_by_the_crops_it_uses() -> None:
    for mirror, crops in ((True, "mirror"), (False, "one")):
        model = load_model("mini_xception.ferplus", mirror=mirror)
        assert model.unsure_below == model.card.unsure[crops].threshold
        logs = model.neutral_logs
        assert logs is not None
        assert tuple(logs) == model.card.neutral[crops]


def test_below_the_threshold_a_face_is_unsure_and_keeps_its_label() -> None:
    smoother = Smoother(0.0)
    smoother.unsure_below = 0.6
    sure = smoother.update(1, said(0.8), 0.0)
    assert (sure.label, sure.unsure) == ("happiness", False)
    less = smoother.update(1, said(0.59), 0.1)
    assert (less.label, less.unsure) == ("happiness", True)
    assert less.confidence == pytest.approx(0.59)


def test_nothing_flickers_at_the_threshold() -> None:
    smoother = Smoother(0.0)
    smoother.unsure_below = 0.6
    values = (0.61, 0.59, 0.61, 0.64, 0.66, 0.61, 0.59)
    shown = [smoother.update(1, said(value), index).unsure for index, value in enumerate(values)]
    assert shown == [False, True, True, True, False, False, True]


def test_a_threshold_near_one_can_be_reached_again() -> None:
    smoother = Smoother(0.0)
    smoother.unsure_below = 0.98
    assert smoother.update(1, said(0.9), 0).unsure
    assert not smoother.update(1, said(0.995), 1).unsure


def test_without_a_rule_nobody_is_unsure() -> None:
    assert not Smoother().update(1, said(0.5), 0.0).unsure


def test_the_word_to_show(face: object) -> None:
    make = face
    assert callable(make)
    assert make(1).said == "neutral"
    assert make(1, unsure=True).said == UNSURE
    corrected = np.array([0.1, 0.8, 0.1], np.float32)
    plain = make(1)
    assert plain.shown is plain.probabilities
    assert make(1, corrected=corrected).shown is corrected
