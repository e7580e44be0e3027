"""Maps light up where the model looks, and files that are not what they should be say so."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.explain.attention import PICTURE, quadrilateral, reach_of
from models.explain.base import Explainer, Runner, scaled
from models.explain.explainers import explainers_for
from models.explain.forward import cbam_map, region_map, theta_map
from models.explain.guided import HIGHEST, GuidedBackprop, guided_file
from models.explain.occlusion import Occlusion, positions
from models.runtime.card import ModelError
from models.runtime.classifier import OnnxClassifier
from models.runtime.store import bundled

Crop = NDArray[np.uint8]
Map = NDArray[np.float32]
DrawPatch = Callable[..., Crop]
CellOf = Callable[[int], tuple[slice, slice]]
MakeModel = Callable[..., Path]
LABELS = (0, 2, 4, 6)


def explainer(classifier: OnnxClassifier, name: str) -> Explainer:
    return next(each for each in explainers_for(classifier) if each.name == name)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("name", ["cam", "guided", "occlusion"])
def test_the_only_informative_patch_lights_up(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf, name: str, label: int
) -> None:
    crop = draw_patch(label, seed=label)
    assert classifier.classify([crop])[0].label == classifier.labels[label]
    found = explainer(classifier, name).explain(crop, label)
    assert found.shape == crop.shape
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() == pytest.approx(1)
    inside = np.zeros(crop.shape, bool)
    inside[cell_of(label)] = True
    assert inside.ravel()[found.argmax()]
    # A map as fine as the patch has all inside; an enlarged one fades over the next cell.
    part = found[inside].sum() / found.sum()
    assert part > {"cam": 0.5, "guided": 0.999, "occlusion": 0.6}[name]


@pytest.mark.parametrize("name", ["cam", "guided"])
def test_nothing_lights_up_for_a_label_that_nothing_speaks_for(
    classifier: OnnxClassifier, draw_patch: DrawPatch, name: str
) -> None:
    assert not explainer(classifier, name).explain(draw_patch(0), 6).any()


def test_the_greatest_map_of_each_place_is_what_highest_follows(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf
) -> None:
    guided = GuidedBackprop(classifier)
    crop = np.maximum(draw_patch(0), draw_patch(6))
    asked = guided.gradients([crop, crop], [HIGHEST, 0])
    for label in (0, 6):
        assert (asked[0][cell_of(label)] > 0).all()
    assert not asked[1][cell_of(6)].any()
    # The logit is the mean over nine places, the paper's target their sum.
    np.testing.assert_allclose(asked[0][cell_of(0)], 9 * asked[1][cell_of(0)], rtol=1e-5)


def test_a_gradient_is_that_of_the_logit(classifier: OnnxClassifier, draw_patch: DrawPatch) -> None:
    crop = draw_patch(2)
    found = GuidedBackprop(classifier).gradients([crop], [2])[0]
    nudged = crop.copy()
    nudged[3, 40] += 4
    before, after = classifier.run([crop, nudged], mirror=False)["logits"][:, 2]
    step = 4 / 255 / classifier.card.input.std
    assert found[3, 40] == pytest.approx((after - before) / step, rel=1e-3)


def test_several_crops_at_once_get_what_each_gets_alone(
    classifier: OnnxClassifier, draw_patch: DrawPatch
) -> None:
    guided = GuidedBackprop(classifier)
    crops = [draw_patch(label) for label in LABELS]
    together = guided.gradients(crops, LABELS)
    for crop, label, found in zip(crops, LABELS, together, strict=True):
        np.testing.assert_array_equal(guided.gradients([crop], [label])[0], found)


def test_every_explanation_that_the_outputs_allow_is_offered(
    classifier: OnnxClassifier, make_model: MakeModel
) -> None:
    assert [each.name for each in explainers_for(classifier)] == ["cam", "guided", "occlusion"]
    alone = OnnxClassifier(make_model("alone", guided=False), provider="CPU")
    assert [each.name for each in explainers_for(alone)] == ["cam", "occlusion"]
    assert len({each.title for each in explainers_for(classifier)}) == 3


def test_a_missing_backward_graph_is_said(make_model: MakeModel) -> None:
    alone = OnnxClassifier(make_model(guided=False), provider="CPU")
    with pytest.raises(ModelError, match=r"patches\.guided\.onnx beside the model, found no such"):
        GuidedBackprop(alone)


@pytest.mark.parametrize("damage", ["cut", "text", "another", "no model"])
def test_a_wrong_backward_graph_is_said_and_left_out(make_model: MakeModel, damage: str) -> None:
    path = make_model()
    file = guided_file(path)
    if damage == "cut":
        file.write_bytes(file.read_bytes()[:-300])
    elif damage == "text":
        file.write_text("not a graph")
    elif damage == "another":
        file.write_bytes(guided_file(make_model("other", gain=3.0)).read_bytes())
    else:
        file.write_bytes(path.read_bytes())
    classifier = OnnxClassifier(path, provider="CPU")
    with pytest.raises(ModelError, match=r"^patches\.guided\.onnx: expected .* --guided$"):
        explainers_for(classifier)
    said: list[str] = []
    names = [each.name for each in explainers_for(classifier, on_problem=said.append)]
    assert names == ["cam", "occlusion"]
    assert len(said) == 1


def test_covering_a_place_costs_what_the_model_sees_there(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf
) -> None:
    occlusion = Occlusion(Runner(classifier), square=16, stride=16)
    crop = draw_patch(4)
    drops = occlusion.drops(crop, 4)
    whole = classifier.classify([crop])[0].probabilities
    covered = crop.copy()
    covered[cell_of(4)] = 128  # the mean of the card
    left = classifier.classify([covered])[0].probabilities
    np.testing.assert_allclose(drops[cell_of(4)], whole[4] - left[4], atol=1e-5)
    np.testing.assert_allclose(drops[cell_of(0)], 0, atol=1e-3)  # 128 is a shade above the mean


def test_what_hurts_the_label_is_below_zero(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf
) -> None:
    both = np.maximum(draw_patch(0), draw_patch(6))
    drops = Occlusion(Runner(classifier), square=16, stride=16).drops(both, 0)
    assert (drops[cell_of(0)] > 0.1).all()
    assert (drops[cell_of(6)] < -0.1).all()


@pytest.mark.parametrize("name", ["guided", "occlusion"])
def test_maps_of_several_labels_are_on_one_scale(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf, name: str
) -> None:
    crop = draw_patch(0)
    crop[cell_of(6)] = 140  # a little above the middle gray
    found = explainer(classifier, name)
    assert isinstance(found, GuidedBackprop | Occlusion)
    more, less = found.explain_labels(crop, [0, 6])
    if name == "guided":
        # The same network sees both patches alike: a pixel moves either logit by as much.
        assert more[cell_of(0)].max() == pytest.approx(less[cell_of(6)].max(), rel=0.05)
    else:
        # One label has all the probability to lose, the other next to none.
        assert more[cell_of(0)].max() > 10 * less.max()
        assert less[cell_of(0)].min() < -0.02
    np.testing.assert_allclose(found.explain(crop, 0), np.maximum(more, 0) / more.max(), atol=1e-6)


def test_what_covers_can_be_chosen(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf
) -> None:
    bright = Occlusion(Runner(classifier), square=16, stride=16, fill=255)
    # What is bright there speaks for the other label.
    assert (bright.drops(draw_patch(0), 0)[cell_of(6)] > 0.1).all()


@pytest.mark.parametrize(
    "wrong", [{"square": 0}, {"square": 48}, {"stride": 13}, {"stride": 0}, {"fill": 256}]
)
def test_a_square_that_cannot_slide_is_refused(
    classifier: OnnxClassifier, wrong: dict[str, Any]
) -> None:
    with pytest.raises(ModelError, match="expected a"):
        Occlusion(Runner(classifier), **wrong)


@pytest.mark.parametrize(("side", "square", "stride"), [(48, 12, 6), (44, 12, 6), (47, 9, 3)])
def test_squares_cover_every_place_equally_often(side: int, square: int, stride: int) -> None:
    starts = positions(side, square, stride)
    places = np.arange(side)[:, None]
    covered = ((starts <= places) & (places < starts + square)).sum(axis=1)
    assert (covered == square // stride).all()
    beyond = -starts[0], starts[-1] + square - side
    assert np.ptp(beyond) <= 1, "as far beyond one end as beyond the other"


def test_the_edge_does_not_share_in_all_that_a_square_there_costs(
    classifier: OnnxClassifier,
) -> None:
    class Stripe(Runner):
        """A model that goes by the light of columns 8 and 9 alone."""

        def probabilities(self, crops: Sequence[Crop]) -> Map:
            seen = np.array([crop[:, 8:10].mean() / 255 for crop in crops], np.float32)
            return np.stack([seen, 1 - seen], axis=1)

    drops = Occlusion(Stripe(classifier)).drops(np.full((48, 48), 255, np.uint8), 0).mean(axis=0)
    assert drops[0] < 0.6 * drops[8]
    assert drops.argmax() in range(6, 12)


def test_the_product_of_attention_blocks_is_where_all_agree() -> None:
    one, two = np.full((1, 6, 6), 0.2, np.float32), np.full((1, 3, 3), 0.5, np.float32)
    one[0, :3] = 0.9
    two[0, :, 2] = 0.8
    found = cbam_map({"spatial1": one, "spatial2": two, "channel1": one}, 0, 48)
    row, column = np.unravel_index(found.argmax(), found.shape)
    assert row < 24
    assert column > 32
    assert found.min() == 0
    assert found.max() == 1


def test_small_weights_beside_great_ones_leave_no_seam_in_the_product() -> None:
    step = np.full((1, 6, 6), 0.05, np.float32)
    step[:, :, 3:] = 0.95
    found = cbam_map({"spatial1": step, "spatial2": step}, 0, 48)
    assert (np.diff(found, axis=1) >= -1e-6).all()
    assert found[0, 0] == 0
    assert found[0, -1] == 1


def test_regions_are_painted_where_they_lie() -> None:
    squares = np.array([[0, 0, 1, 1], [0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], np.float32)
    found = region_map({"square": squares, "region": np.array([0.6, 0.1, 0.3])}, 0, 48)
    assert found[:24, :24] == pytest.approx(1 / 3, abs=1e-5)
    assert found[24:, 24:] == pytest.approx(1)
    assert not found[:24, 24:].any()


def test_the_quadrilateral_is_what_theta_reads() -> None:
    same = np.array([[1, 0, 0], [0, 1, 0]], np.float32)
    assert theta_map(PICTURE)({"theta": same}, 0, 48).min() > 0.99
    corners = quadrilateral(same, 48, PICTURE)
    np.testing.assert_allclose(corners, [[-0.5, -0.5], [47.5, -0.5], [47.5, 47.5], [-0.5, 47.5]])
    # Half as large, moved into the lower right quarter.
    part = np.array([[0.5, 0, 0.5], [0, 0.5, 0.5]], np.float32)
    found = theta_map(PICTURE)({"theta": part}, 0, 48)
    assert found[25:, 25:].min() > 0.99
    assert not found[:23].any()
    assert not found[:, :23].any()


@pytest.mark.parametrize(
    ("name", "wide"), [("deep_emotion", 24), ("deep_emotion_parallel", 30), ("acn", 38)]
)
def test_where_features_are_warped_the_map_is_as_large_as_what_they_see(
    name: str, wide: int
) -> None:
    half = np.array([[0.5, 0, 0], [0, 0.5, 0]], np.float32)
    found = theta_map(reach_of(name))({"theta": half}, 0, 48)
    assert found[24].sum() == pytest.approx(wide, abs=2)
    assert found[:, 24].sum() == pytest.approx(wide, abs=2)


def test_scaling_keeps_what_is_positive() -> None:
    values = np.array([[-3.0, 0.0], [1.0, 2.0]], np.float32)
    found = scaled(values, 2)
    np.testing.assert_allclose(found, np.array([[0, 0], [0.5, 1]]))
    assert not scaled(-np.abs(values), 48).any()


@pytest.mark.parametrize("entry", bundled(), ids=lambda entry: entry.name)
def test_the_backward_graphs_that_are_bundled_are_of_the_bundled_models(entry: Any) -> None:
    guided = GuidedBackprop(OnnxClassifier(entry.file, provider="CPU"))
    size = entry.card.input.size
    crop = np.random.default_rng(0).integers(0, 256, (size, size), dtype=np.uint8)
    found = guided.explain(crop, 0)
    assert found.shape == (size, size)
    assert found.max() == 1
    assert guided_file(entry.file).stat().st_size < 100_000


def test_explaining_needs_nothing_of_the_training_extra(classifier: OnnxClassifier) -> None:
    code = (
        "import sys\n"
        "for name in ('torch', 'onnx', 'onnxscript', 'tqdm', 'matplotlib'):\n"
        "    sys.modules[name] = None\n"
        "import numpy as np\n"
        "from pathlib import Path\n"
        "import app.cli.explain_models, app.cli.explain_average, app.cli.explain\n"
        "from models.explain.explainers import explainers_for\n"
        "from models.runtime.classifier import OnnxClassifier\n"
        f"model = OnnxClassifier(Path({str(classifier.path)!r}), provider='CPU')\n"
        "crop = np.full((48, 48), 200, np.uint8)\n"
        "print(*[each.explain(crop, 0).shape for each in explainers_for(model)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(")") == ["(48, 48", " (48, 48", " (48, 48", "\n"]
