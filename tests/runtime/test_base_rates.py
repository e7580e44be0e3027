"""How common expressions are taken to be: how it is written, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from models.runtime.base_rates import AS_MEASURED, BaseRates, in_brief, reweighted, said, unweighted
from models.runtime.card import Card, ModelError
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.labels import FER2013, FER2013_4, FERPLUS
from models.runtime.store import load_model
from tests.runtime.test_classifier import Crops, MakeModel

EVEN = BaseRates(even=True)
MEASURED = (0.4, 0.3, 0.1, 0.1, 0.05, 0.01, 0.03, 0.01)


@pytest.mark.parametrize(
    "text", ["", "even", "contempt=0", "disgust=3", "even,disgust=2,contempt=0", "anger=0.5"]
)
def test_what_is_written_comes_back(text: str) -> None:
    assert str(BaseRates.parse(text)) == text


def test_once_is_not_worth_a_word() -> None:
    assert BaseRates.parse("disgust=1") == AS_MEASURED
    assert str(BaseRates.parse("even,disgust=1,fear=2")) == "even,fear=2"


def test_order_and_blanks_are_of_no_matter() -> None:
    found = BaseRates.parse(" contempt = 0 , even,disgust=2.0 ")
    assert str(found) == "even,disgust=2,contempt=0"
    assert BaseRates.parse("  ") == AS_MEASURED


@pytest.mark.parametrize(
    "text",
    [
        "evenly", "joy=2", "disgust", "disgust=", "disgust=-1", "disgust=nan", "disgust=inf",
        "disgust=1001", "disgust=2,disgust=3", "even,,contempt=0", ",", "=2",
        ",".join(f"{label}=0" for label in FERPLUS[1:]),
    ],
)  # fmt: skip
def test_anything_else_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(UserError, match=r"expected .* found") as caught:
        BaseRates.parse(text)
    assert "\n" not in str(caught.value)


def test_labels_are_left_out_and_come_back() -> None:
    without = EVEN.leaving_out("fear", out=True).leaving_out("contempt", out=True)
    assert without.left_out == ("fear", "contempt")
    assert str(without) == "even,fear=0,contempt=0"
    assert without.leaving_out("fear", out=False) == BaseRates.parse("even,contempt=0")
    assert str(without.spread(even=False)) == "fear=0,contempt=0"
    assert str(BaseRates.parse("disgust=3,fear=0").spread(even=False)) == "fear=0"
    assert without.among(FER2013) == BaseRates.parse("even,fear=0")


def test_it_is_said_in_words() -> None:
    assert said(AS_MEASURED) == ""
    assert said(EVEN) == "each expression taken to be as common as any other"
    assert said(BaseRates.parse("fear=2,disgust=3")) == (
        "disgust 3 times as common, fear 2 times as common"
    )
    assert said(BaseRates.parse("even,fear=0,contempt=0")).endswith("; fear and contempt left out")


def test_it_is_said_in_brief() -> None:
    assert in_brief(AS_MEASURED) == ""
    found = in_brief(BaseRates.parse("even,disgust=2,fear=0,contempt=0"))
    assert found == "even base rates, disgust x 2, without fear and contempt"


def test_even_rates_are_bayes_rule() -> None:
    """Draw pictures at the rates measured; weighed, they are as right as at even rates."""
    random = np.random.default_rng(3)
    rates = np.array([0.9, 0.1])
    truth = (random.random(200_000) < rates[1]).astype(int)
    seen = random.normal(truth, 1.0)
    likelihoods = np.exp(-((seen[:, None] - [0, 1]) ** 2) / 2)
    posterior = likelihoods * rates
    posterior /= posterior.sum(axis=1, keepdims=True)
    weights = EVEN.weights(("neutral", "fear"), tuple(rates))
    found = reweighted(posterior.astype(np.float32), weights)
    expected = likelihoods / likelihoods.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    before, after = (
        np.mean([(values.argmax(axis=1) == truth)[truth == each].mean() for each in (0, 1)])
        for values in (posterior, found)
    )
    assert after > before + 0.1


def test_labels_that_a_model_does_not_have_are_of_no_matter() -> None:
    assert BaseRates.parse("contempt=0").weights(FER2013, None) is None
    assert AS_MEASURED.weights(FERPLUS, None) is None
    weights = BaseRates.parse("contempt=0,fear=2").weights(FER2013, None)
    assert weights is not None
    assert weights.tolist() == [1, 1, 2, 1, 1, 1, 1]


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(UserError, match="none on its card"):
        EVEN.weights(FERPLUS, None)
    out = BaseRates.parse("anger=0,sadness=0,neutral=0")
    with pytest.raises(UserError, match="at least two of anger, happiness, sadness, neutral"):
        out.weights(FER2013_4, None)


def test_what_is_left_out_has_nothing_even_where_it_had_all() -> None:
    weights = BaseRates.parse("contempt=0").weights(FERPLUS, None)
    sure = np.zeros((1, 8), np.float32)
    sure[0, FERPLUS.index("contempt")] = 1
    found = reweighted(sure, weights)
    assert found[0, FERPLUS.index("contempt")] == 0
    assert found.sum() == pytest.approx(1)


def test_a_networks_own_probabilities_come_back() -> None:
    values = np.random.default_rng(0).dirichlet(np.ones(8), 5).astype(np.float32)
    weights = EVEN.weights(FERPLUS, MEASURED)
    np.testing.assert_allclose(unweighted(reweighted(values, weights), weights), values, atol=1e-6)
    np.testing.assert_array_equal(unweighted(values, None), values)


def with_rates(card: Card) -> Card:
    rates = tuple(np.linspace(0.05, 0.25, len(card.labels)).tolist())
    return replace(card, base_rates={"one": rates, "mirror": rates})


@pytest.mark.train
def test_a_classifier_goes_by_them(make_model: MakeModel, card: Card, crops: Crops) -> None:
    card = with_rates(card)
    file = make_model(inside=card, beside=card)
    plain, even = OnnxClassifier(file), OnnxClassifier(file, base_rates=EVEN)
    assert plain.rate_weights is None
    before, after = ([p.probabilities for p in model.classify(crops)] for model in (plain, even))
    expected = np.array(before) / card.base_rates["mirror"]
    np.testing.assert_allclose(after, expected / expected.sum(1, keepdims=True), atol=1e-6)
    assert even.base_rates == EVEN


@pytest.mark.train
def test_a_model_whose_card_does_not_know_them_is_refused(make_model: MakeModel) -> None:
    with pytest.raises(ModelError, match=r"stripes\.onnx: expected a model that knows how common"):
        OnnxClassifier(make_model(), base_rates=EVEN)


def test_every_bundled_model_knows_how_common_expressions_are() -> None:
    from models.runtime.store import bundled

    for entry in bundled():
        for crops in ("one", "mirror"):
            assert sum(entry.card.base_rates[crops]) == pytest.approx(1, abs=0.01), entry.name


def test_the_default_names_disgust_sooner_and_never_what_is_left_out() -> None:
    crops: list[NDArray[np.uint8]] = list(
        np.random.default_rng(1).integers(0, 255, (4, 48, 48), np.uint8)
    )
    plain, even, without = (
        np.array(
            [
                prediction.probabilities
                for prediction in load_model(
                    "mini_xception.ferplus", base_rates=BaseRates.parse(text)
                ).classify(crops)
            ]
        )
        for text in ("", "even", "neutral=0")
    )
    disgust, neutral = FERPLUS.index("disgust"), FERPLUS.index("neutral")
    odds = [values[:, disgust] / values[:, neutral] for values in (plain, even)]
    assert (odds[1] > 20 * odds[0]).all()
    assert (without[:, neutral] == 0).all()
    model = load_model("mini_xception.ferplus", base_rates=BaseRates.parse("neutral=0"))
    assert model.classify(crops)[0].left_out == ("neutral",)
    assert model.neutral_logs is None, "what it said of neutral is not known any more"
