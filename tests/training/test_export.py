"""Exports: what the file and its card hold, and that they say what the network said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from models import export as exporting
from models.data.face_set import FaceSet
from models.export import Exported, export, load_network, parity_crops
from models.measure import truth_for
from models.nets.mini_xception import MiniXception
from models.nets.network import count_parameters
from models.runtime.card import Card, InputSpec, file_facts
from models.runtime.classifier import OnnxClassifier
from models.runtime.errors import UserError
from models.runtime.labels import FER2013, FERPLUS
from models.runtime.preprocess import to_input
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.loop import Trainer
from models.training.predict import build_network, predict
from models.training.recipe import Recipe

pytestmark = pytest.mark.train


@pytest.fixture(scope="session")
def exported(
    checkpoint: Path, faces: FaceSet, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    """Return an export for FER+ with temperature and metrics, for tests that only read it."""
    output = tmp_path_factory.mktemp("exported") / "mini.onnx"
    return export(checkpoint, output=output, label_set="ferplus", faces=faces)


def test_the_file_has_a_dynamic_batch_and_two_outputs(exported: Exported) -> None:
    session = ort.InferenceSession(str(exported.path), providers=["CPUExecutionProvider"])
    assert [value.name for value in session.get_inputs()] == ["crops"]
    assert [value.name for value in session.get_outputs()] == ["logits", "cam"]
    for count in (1, 2, 7):
        crops = np.random.default_rng(0).normal(size=(count, 1, 48, 48)).astype(np.float32)
        logits, cam = session.run(None, {"crops": crops})
        assert logits.shape == (count, 8)
        assert cam.shape == (count, 8, 3, 3)
        np.testing.assert_allclose(cam.mean(axis=(2, 3)), logits, atol=1e-5)


def test_the_file_says_what_it_needs(exported: Exported) -> None:
    model = onnx.load(exported.path)
    values = {entry.key: entry.value for entry in model.metadata_props}
    card = exported.card
    assert values["labels"].split(",") == list(FERPLUS)
    assert float(values["temperature"]) == card.temperature["one"]
    assert "48x48" in values["preprocessing"]
    assert Card.from_json(values["mien.card"], "inside") == card.without_file()
    onnx.checker.check_model(model, full_check=True)


def test_the_file_says_nothing_of_the_machine_that_made_it(exported: Exported) -> None:
    model = onnx.load(exported.path)
    assert not any(node.metadata_props for node in model.graph.node)
    data = exported.path.read_bytes()
    assert str(Path(exporting.__file__).parent).encode() not in data
    # 58 thousand values of 4 bytes are 234 kB.
    assert len(data) < 260_000


def test_the_card_beside_is_whole(exported: Exported, checkpoint: Path, faces: FaceSet) -> None:
    text = exported.path.with_suffix(".json").read_text(encoding="utf-8")
    card = Card.from_json(text, "beside")
    assert card == exported.card
    assert card.file == file_facts(exported.path)
    assert card.name == "mini_xception.ferplus"
    assert (card.parameters, card.trainable) == count_parameters(MiniXception(8))
    assert card.training["epoch"] == load_checkpoint(checkpoint)["epoch"]
    assert card.recipe["batch_size"] == 8
    assert {metric.crops for metric in card.metrics} == {"one", "mirror"}
    assert {metric.split for metric in card.metrics} == {"PublicTest"}
    assert all(metric.n <= 32 for metric in card.metrics)
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))


def test_torch_and_onnx_runtime_agree(exported: Exported, checkpoint: Path) -> None:
    assert exported.max_delta <= 1e-4
    assert exported.same_labels
    assert exported.milliseconds > 0
    network, _, _ = load_network(checkpoint, "ferplus")
    crops = parity_crops(exported.card.input)
    with torch.inference_mode():
        expected = network(torch.from_numpy(to_input(crops, exported.card.input))).numpy()
    found = OnnxClassifier(exported.path, provider="CPU").run(crops, mirror=False)["logits"]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert len({row.tobytes() for row in found}) == len(crops)


def test_the_card_measures_what_training_measured(exported: Exported, checkpoint: Path) -> None:
    measured = load_checkpoint(checkpoint)["history"][-1]["ferplus"]
    one = exported.card.metric("one")
    assert one is not None
    assert one.accuracy == pytest.approx(measured, abs=1e-5)
    assert one.accuracy < 1


def test_the_temperature_is_the_likeliest(exported: Exported, faces: FaceSet) -> None:
    classifier = OnnxClassifier(exported.path, provider="CPU", mirror=False)
    validation = faces.split("PublicTest")
    rows = np.arange(len(validation))
    truth = truth_for(validation, "ferplus")

    def likelihood(temperature: float) -> float:
        classifier.card = replace(exported.card, temperature={"one": temperature, "mirror": 1.0})
        predictions = classifier.classify(list(validation.pixels))
        probabilities = np.stack([prediction.probabilities for prediction in predictions])
        return float(np.log(probabilities[rows, truth])[truth >= 0].mean())

    best = exported.card.temperature["one"]
    assert likelihood(best) > likelihood(best * 1.1)
    assert likelihood(best) > likelihood(best / 1.1)


@pytest.mark.parametrize("label_set", ["fer2013", "ferplus"])
def test_each_label_set_gets_its_own_head(label_set: str, checkpoint: Path, faces: FaceSet) -> None:
    values = load_checkpoint(checkpoint)
    recipe = Recipe.from_dict(values["recipe"])
    whole = build_network(recipe)
    whole.load_state_dict(values["average"])
    pixels = torch.from_numpy(faces.pixels[:6]).unsqueeze(1)
    both = predict(whole, pixels, recipe)
    part = slice(0, len(FER2013)) if label_set == "fer2013" else slice(len(FER2013), None)
    network, _, chosen = load_network(checkpoint, label_set)
    assert chosen == label_set
    np.testing.assert_allclose(predict(network, pixels, recipe), both[:, part], atol=1e-5)


def test_a_graph_on_which_the_runtime_dies_is_a_sentence(tmp_path: Path, recipe: Recipe) -> None:
    trainer = Trainer(
        replace(recipe, architecture="ran", network={"trunk": "mini_xception"}), torch.device("cpu")
    )
    save_checkpoint(tmp_path / "ran.pt", {**trainer.state(), "environment": {}})
    output = tmp_path / "ran.onnx"
    try:  # a later runtime may load it
        done = export(tmp_path / "ran.pt", output=output, label_set="ferplus", precision="fp16")
    except UserError as error:
        assert "can load in fp16, found one on which it fails: choose fp32" in str(error)  # noqa: PT017
        assert [path.name for path in tmp_path.iterdir()] == ["ran.pt"]
    else:
        assert done.same_labels


@pytest.mark.parametrize(("precision", "smaller"), [("fp16", 0.65), ("int8", 0.6)])
def test_smaller_numbers_still_agree(
    precision: str, smaller: float, exported: Exported, checkpoint: Path, faces: FaceSet,
    tmp_path: Path,
) -> None:  # fmt: skip
    done = export(
        checkpoint,
        output=tmp_path / f"{precision}.onnx",
        label_set="ferplus",
        precision=precision,
        faces=faces,
    )
    assert done.card.precision == precision
    crops = parity_crops(done.card.input)
    before = OnnxClassifier(exported.path, provider="CPU").run(crops, mirror=False)["logits"]
    after = OnnxClassifier(done.path, provider="CPU").run(crops, mirror=False)["logits"]
    # Eight whole bits came to 1.2 where the processor has no VNNI.
    assert done.max_delta < 0.6
    second, first = np.sort(before, axis=1)[:, -2:].T
    clear = first - second > 2 * done.max_delta  # the others hang in the balance
    assert clear.any() or precision == "int8"
    assert np.array_equal(before[clear].argmax(1), after[clear].argmax(1))
    assert done.path.stat().st_size < smaller * exported.path.stat().st_size
    one, whole = done.card.metric("one"), exported.card.metric("one")
    assert one is not None
    assert whole is not None
    assert one.accuracy == pytest.approx(whole.accuracy, abs=0.1)
    found = OnnxClassifier(done.path, provider="CPU").run(
        parity_crops(done.card.input), mirror=False
    )
    assert found["logits"].dtype == np.float32
    assert found["cam"].shape == (8, 8, 3, 3)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{precision}.json",
        f"{precision}.onnx",
    ]


def test_int8_without_data_says_what_it_needs(
    checkpoint: Path, tmp_path: Path, faces: FaceSet
) -> None:
    output = tmp_path / "out.onnx"
    for given in (None, faces.split("PublicTest")):
        with pytest.raises(UserError, match="int8 is calibrated on training pictures"):
            export(checkpoint, output=output, label_set="fer2013", precision="int8", faces=given)
    assert list(tmp_path.iterdir()) == []


def test_data_without_public_test_is_refused(
    checkpoint: Path, tmp_path: Path, faces: FaceSet
) -> None:
    output = tmp_path / "out.onnx"
    with pytest.raises(UserError, match="expected PublicTest pictures to measure on, found none"):
        export(checkpoint, output=output, label_set="fer2013", faces=faces.split("Training"))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_when_torch_and_onnx_runtime_differ(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "out.onnx"
    output.write_bytes(b"the one before")
    monkeypatch.setitem(exporting.TOLERANCE, "fp32", -1.0)
    with pytest.raises(UserError, match=r"to agree within -[\d.]+ on .* nothing was written"):
        export(checkpoint, output=output, label_set="fer2013")
    assert output.read_bytes() == b"the one before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.onnx"]


def test_nothing_is_written_when_a_map_differs(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def turned(module: exporting._Exportable, crops: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits, attention = module.network.attend(crops)
        return logits, attention["cam"].flip(3)

    monkeypatch.setattr(exporting._Exportable, "forward", turned)
    with pytest.raises(UserError, match=r"to agree on cam within .* nothing was written"):
        export(checkpoint, output=tmp_path / "out.onnx", label_set="fer2013")
    assert list(tmp_path.iterdir()) == []


def test_the_parity_crops_are_eight_different_faces() -> None:
    crops = parity_crops(InputSpec(48, 0.5, 0.25))
    assert len({crop.tobytes() for crop in crops}) == 8
    assert all(crop.shape == (48, 48) and crop.dtype == np.uint8 for crop in crops)
    assert all(crop.std() > 10 for crop in crops)
    assert parity_crops(InputSpec(64, 0.5, 0.25))[0].shape == (64, 64)
    middle = parity_crops(InputSpec(44, 0.5, 0.25, field=44))
    assert all((part == crop[2:46, 2:46]).all() for part, crop in zip(middle, crops, strict=True))


def test_another_networks_checkpoint_is_named(checkpoint: Path, tmp_path: Path) -> None:
    values = load_checkpoint(checkpoint)
    values["recipe"] = {"task": "landmarks68"}
    torch.save(values, tmp_path / "other.pt")
    with pytest.raises(UserError, match=r"other\.pt: expected a checkpoint of a network that"):
        load_network(tmp_path / "other.pt", "ferplus")


def test_labels_that_were_not_taught_are_a_sentence(checkpoint: Path, tmp_path: Path) -> None:
    values = load_checkpoint(checkpoint)
    values["recipe"]["labels"] = {"fer2013": 1.0}
    torch.save(values, tmp_path / "one.pt")
    with pytest.raises(UserError, match="expected labels of fer2013, found 'ferplus'"):
        load_network(tmp_path / "one.pt", "ferplus")
