from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from numpy.typing import NDArray

from models.runtime.card import Card, ModelError
from models.runtime.classifier import OnnxClassifier, available_providers
from models.runtime.prediction import Classifier
from models.runtime.preprocess import softmax, to_input

pytestmark = pytest.mark.train  # making a model needs the package onnx

MakeModel = Callable[..., Path]
Crops = list[NDArray[np.uint8]]


def expect(path: Path, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        OnnxClassifier(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_a_whole_model_loads(make_model: MakeModel, card: Card) -> None:
    model: Classifier = OnnxClassifier(make_model())
    assert model.labels == card.labels
    assert model.input_size == 48


def test_the_card_inside_is_enough(make_model: MakeModel, card: Card) -> None:
    assert OnnxClassifier(make_model(beside=None)).card == card


def test_a_prediction_is_calibrated_and_brings_its_maps(
    make_model: MakeModel, card: Card, crops: Crops
) -> None:
    model = OnnxClassifier(make_model(), mirror=False)
    found = model.run(crops, mirror=False)
    predictions = model.classify(crops)
    for row, prediction in enumerate(predictions):
        expected = softmax(found["logits"][row : row + 1], card.temperature["one"])[0]
        np.testing.assert_allclose(prediction.probabilities, expected, atol=1e-6)
        assert prediction.probabilities.dtype == np.float32
        assert float(prediction.probabilities.sum()) == pytest.approx(1, abs=1e-5)
        assert prediction.label == card.labels[int(found["logits"][row].argmax())]
        assert prediction.confidence == pytest.approx(float(expected.max()))
        assert list(prediction.attention) == ["cam"]
        np.testing.assert_array_equal(prediction.attention["cam"], found["cam"][row])


def test_mirror_averages_logits_and_maps_with_those_of_the_mirrored_crop(
    make_model: MakeModel, card: Card, crops: Crops
) -> None:
    model = OnnxClassifier(make_model(), mirror=True)
    one = model.run(crops, mirror=False)
    other = model.run([np.ascontiguousarray(crop[:, ::-1]) for crop in crops], mirror=False)
    logits = np.asarray((one["logits"] + other["logits"]) / 2, np.float32)
    cam = (one["cam"] + other["cam"][..., ::-1]) / 2
    both = model.run(crops, mirror=True)
    np.testing.assert_allclose(both["logits"], logits, atol=1e-5)
    np.testing.assert_allclose(both["cam"], cam, atol=1e-5)
    np.testing.assert_allclose(both["cam"].mean((2, 3)), both["logits"], atol=1e-5)
    expected = softmax(logits, card.temperature["mirror"])
    for row, prediction in enumerate(model.classify(crops)):
        np.testing.assert_allclose(prediction.probabilities, expected[row], atol=1e-5)


@pytest.mark.parametrize("mirror", [True, False])
def test_a_batch_equals_one_at_a_time(make_model: MakeModel, crops: Crops, mirror: bool) -> None:
    model = OnnxClassifier(make_model(), mirror=mirror)
    together = model.classify(crops)
    assert len(together) == len(crops)
    for crop, prediction in zip(crops, together, strict=True):
        alone = model.classify([crop])[0]
        np.testing.assert_allclose(alone.probabilities, prediction.probabilities, atol=1e-6)
        np.testing.assert_allclose(alone.attention["cam"], prediction.attention["cam"], atol=1e-5)
    assert len({prediction.probabilities.tobytes() for prediction in together}) == len(crops)


def test_no_faces_are_no_predictions(make_model: MakeModel) -> None:
    assert OnnxClassifier(make_model()).classify([]) == []


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_logits_that_are_not_finite_are_a_sentence(
    make_model: MakeModel, crops: Crops, number: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = OnnxClassifier(make_model())
    logits = np.zeros((len(crops), 7), np.float32)
    logits[2, 3] = number
    monkeypatch.setattr(model, "run", lambda crops, mirror: {"logits": logits})
    with pytest.raises(ModelError, match=r"^stripes\.onnx: expected finite logits, found others"):
        model.classify(crops)


@pytest.mark.parametrize(
    "crop", [np.zeros((64, 64), np.uint8), np.zeros((48, 48, 3), np.uint8), np.zeros((48, 48))]
)
def test_a_crop_of_another_kind_is_a_defect(make_model: MakeModel, crop: NDArray[Any]) -> None:
    with pytest.raises(ValueError, match=r"expected \(48, 48\) uint8 crops"):
        OnnxClassifier(make_model()).classify([crop])


def test_the_input_is_normalised_as_the_card_says(card: Card, crops: Crops) -> None:
    found = to_input(crops, card.input)
    expected = (np.stack(crops)[:, None] / 255 - 0.5) / 0.25
    assert found.shape == (5, 1, 48, 48)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_temperature_softens_and_huge_logits_do_not_overflow() -> None:
    logits = np.array([[2.0, 0.0], [1e4, -1e4]], dtype=np.float32)
    np.testing.assert_allclose(softmax(logits)[0], [0.8808, 0.1192], atol=1e-4)
    np.testing.assert_allclose(softmax(logits, 2.0)[0], [0.7311, 0.2689], atol=1e-4)
    np.testing.assert_array_equal(softmax(logits)[1], [1, 0])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    expect(tmp_path / "none.onnx", r"expected a model, found no file .*none\.onnx")


@pytest.mark.parametrize("content", [b"", b"nonsense", bytes(range(256)) * 8])
def test_a_file_of_something_else_is_a_sentence(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.onnx"
    path.write_bytes(content)
    expect(path, r"^other\.onnx: expected")


def test_a_file_cut_short_is_a_sentence(make_model: MakeModel) -> None:
    path = make_model(beside=None)
    path.write_bytes(path.read_bytes()[:1500])
    expect(
        path,
        r"^stripes\.onnx: expected an ONNX model, found one that ONNX Runtime cannot load "
        r"\(Protobuf parsing failed\): copy or export it again",
    )


def test_a_model_without_a_card_is_refused(make_model: MakeModel) -> None:
    expect(make_model(inside=None, beside=None), r"^stripes\.onnx: expected a model card inside")


def test_a_file_that_changed_after_its_export_is_refused(make_model: MakeModel) -> None:
    path = make_model()
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 1  # in the middle of the weights: it still loads
    path.write_bytes(data)
    expect(path, r"expected the file that its card describes \(.* bytes, sha256 .* found another")


def test_a_swapped_card_is_refused(make_model: MakeModel) -> None:
    first, second = make_model("first", seed=1), make_model("second", seed=2)
    first.with_suffix(".json").write_bytes(second.with_suffix(".json").read_bytes())
    expect(first, r"^first\.onnx: expected the file that its card describes")


def test_a_card_beside_that_differs_from_the_one_inside_is_refused(
    make_model: MakeModel, card: Card
) -> None:
    order = (*card.labels[1:], card.labels[0])
    path = make_model(beside=replace(card, labels=order))
    expect(path, r"^stripes\.json: expected the card that is inside stripes\.onnx, found another")


def test_a_card_beside_without_the_hash_is_refused(make_model: MakeModel, card: Card) -> None:
    path = make_model()
    path.with_suffix(".json").write_text(card.to_json())
    expect(path, r"^stripes\.json: expected the hash of stripes\.onnx, found none")


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe\x00", b"[]"])
def test_a_damaged_card_beside_is_a_sentence(content: bytes, make_model: MakeModel) -> None:
    path = make_model()
    path.with_suffix(".json").write_bytes(content)
    expect(path, r"^stripes\.json: expected a model card")


def test_a_damaged_card_inside_is_a_sentence(make_model: MakeModel, card: Card) -> None:
    path = make_model(inside=replace(card, temperature={"one": -1.0, "mirror": 1.0}), beside=None)
    expect(path, r"^stripes\.onnx, card: expected temperatures")


@pytest.mark.parametrize(
    ("made", "said"),
    [
        ({"side": 64}, r"expected an input crops of \(N, 1, 48, 48\) as its card says"),
        ({"batch": 2}, r"expected an input crops of \(N, 1, 48, 48\) as its card says"),
        ({"crops": "x"}, r"expected an input crops of \(N, 1, 48, 48\) as its card says"),
        ({"cam": "map"}, r"expected the outputs logits, cam as its card says, found logits, map"),
        ({"labels": 8}, r"expected one logit for each of the 7 labels of its card, found \[8\]"),
    ],
)
def test_a_graph_that_differs_from_its_card_is_refused(
    made: dict[str, Any], said: str, make_model: MakeModel
) -> None:
    expect(make_model(**made), rf"^stripes\.onnx: {said}")


def test_labels_of_the_card_that_the_graph_lacks_are_refused(
    make_model: MakeModel, card: Card
) -> None:
    other = replace(card, labels=card.labels[:5])
    expect(make_model(inside=other, beside=other), "each of the 5 labels of its card, found")


def test_the_cpu_is_always_there_and_is_named_so(make_model: MakeModel) -> None:
    assert available_providers()[-1] == "CPU"
    assert OnnxClassifier(make_model(), provider="CPU").provider == "CPU"


def test_auto_takes_the_best_that_is_there(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    present = ["CPUExecutionProvider", "SomethingElse", "CUDAExecutionProvider"]
    monkeypatch.setattr(ort, "get_available_providers", lambda: present)
    assert available_providers() == ["CUDA", "CPU"]
    asked: list[list[str]] = []
    whole = ort.InferenceSession

    def session(path: str, options: Any, providers: list[str]) -> Any:
        asked.append(providers)
        return whole(path, options, providers=["CPUExecutionProvider"])

    monkeypatch.setattr(ort, "InferenceSession", session)
    path = make_model()
    # What is shown is what the session really took, not what was asked for.
    assert OnnxClassifier(path).provider == "CPU"
    OnnxClassifier(path, provider="CUDA")
    OnnxClassifier(path, provider="CPU")
    cuda, cpu = "CUDAExecutionProvider", "CPUExecutionProvider"
    assert asked == [[cuda, cpu], [cuda, cpu], [cpu]]


@pytest.mark.parametrize("name", ["TPU", "cpu", ""])
def test_an_unknown_provider_names_those_there_are(make_model: MakeModel, name: str) -> None:
    with pytest.raises(ModelError, match=f"expected a provider of .*CPU.* found '{name}'"):
        OnnxClassifier(make_model(), provider=name)


def test_a_model_that_fails_when_run_is_refused_on_loading(
    make_model: MakeModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_model()

    class Failing:
        def __init__(self, *arguments: Any, **options: Any) -> None:
            self.real = whole(*arguments, **options)

        def __getattr__(self, name: str) -> Any:
            return getattr(self.real, name)

        def run(self, *_: Any) -> None:
            raise RuntimeError("[ONNXRuntimeError] : 6 : FAIL : Non-zero status\nmore")

    whole = ort.InferenceSession
    monkeypatch.setattr(ort, "InferenceSession", Failing)
    expect(path, r"^stripes\.onnx: expected a model that runs, found one that fails")


def test_the_card_beside_is_the_one_in_use(make_model: MakeModel) -> None:
    model = OnnxClassifier(make_model())
    beside = json.loads(model.path.with_suffix(".json").read_text())
    assert model.card.file is not None
    assert model.card.file.sha256 == beside["file"]["sha256"]
