"""Right maps beat chance and wrong ones do not; what was measured is kept with the model."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from models.explain.base import Runner
from models.explain.explainers import explainers_for
from models.explain.faithfulness import (
    ENOUGH,
    SIGNIFICANT,
    STEPS,
    Faithfulness,
    ahead,
    area,
    curves,
    measure_faithfulness,
    moved,
    order,
)
from models.explain.note import Note, note_file, read_note, write_note
from models.explain.table import HEADER, row, section, verdict
from models.runtime.card import ModelError
from models.runtime.classifier import OnnxClassifier

Crop = NDArray[np.uint8]
Map = NDArray[np.float32]
DrawPatch = Callable[..., Crop]
CellOf = Callable[[int], tuple[slice, slice]]
LABELS = (0, 1, 2, 3, 4, 5, 6, 0, 2, 4, 6, 1)


@dataclass(frozen=True)
class Always:
    """Explain every crop with the same map."""

    values: Map
    name: str = "always"
    title: str = "the same map"

    def explain(self, crop: Crop, label_index: int) -> Map:
        return self.values


@pytest.fixture
def crops(draw_patch: DrawPatch) -> list[Crop]:
    return [draw_patch(label, seed=number) for number, label in enumerate(LABELS)]


def test_maps_of_the_right_place_are_better_than_chance(
    classifier: OnnxClassifier, crops: list[Crop]
) -> None:
    results = measure_faithfulness(Runner(classifier), explainers_for(classifier), crops)
    assert [each.method for each in results] == ["cam", "guided", "occlusion"]
    for found in results:
        assert found.better, found
        assert found.n == len(crops)
        assert found.deletion < found.chance_deletion
        assert found.insertion > found.chance_insertion


def test_maps_of_a_wrong_place_are_not(
    classifier: OnnxClassifier, crops: list[Crop], cell_of: CellOf
) -> None:
    middle = np.zeros((48, 48), np.float32)  # the one cell that no label depends on
    middle[16:32, 16:32] = 1
    nothing = Always(np.zeros((48, 48), np.float32), name="nothing")
    for found in measure_faithfulness(Runner(classifier), [Always(middle), nothing], crops):
        assert not found.better, found


def test_it_repeats_itself(classifier: OnnxClassifier, crops: list[Crop]) -> None:
    explainers = explainers_for(classifier)
    told: list[int] = []
    first = measure_faithfulness(
        Runner(classifier), explainers, crops[:4], on_crop=lambda: told.append(1)
    )
    assert len(told) == 4 * len(explainers)
    # A method's figures do not depend on which others are measured.
    alone = measure_faithfulness(Runner(classifier), explainers[1:2], crops[:4])
    assert alone == first[1:2]


def test_curves_begin_and_end_where_they_should(
    classifier: OnnxClassifier, draw_patch: DrawPatch
) -> None:
    crop = draw_patch(2)
    pixels = order(np.arange(48 * 48, dtype=np.float32).reshape(48, 48), np.random.default_rng(0))
    assert pixels[0] == 48 * 48 - 1
    deletion, insertion = curves(Runner(classifier), crop, 2, pixels)
    whole, nothing = (
        classifier.classify([each])[0].probabilities[2] for each in (crop, np.full_like(crop, 128))
    )
    assert len(deletion) == len(insertion) == STEPS + 1
    assert deletion[0] == pytest.approx(whole, abs=1e-6)
    assert deletion[-1] == pytest.approx(nothing, abs=1e-6)
    assert insertion[-1] == pytest.approx(whole, abs=1e-6)


def test_deleting_the_patch_first_is_seen(
    classifier: OnnxClassifier, draw_patch: DrawPatch, cell_of: CellOf
) -> None:
    values = np.zeros((48, 48), np.float32)
    values[cell_of(6)] = 1
    right, wrong = (
        curves(Runner(classifier), draw_patch(6), 6, order(each, np.random.default_rng(0)))
        for each in (values, -values)
    )
    assert area(right[0]) < 0.4 < 0.8 < area(wrong[0])
    # The blurred patch is seen too, so that insertion begins high here; its order still tells.
    assert area(right[1]) > area(wrong[1])


def test_equal_values_come_in_no_order_of_their_own() -> None:
    flat = np.zeros((48, 48), np.float32)
    pixels = order(flat, np.random.default_rng(0))
    assert sorted(pixels.tolist()) == list(range(48 * 48))
    assert abs(np.corrcoef(pixels, np.arange(48 * 48))[0, 1]) < 0.1


def test_a_moved_map_has_the_same_values() -> None:
    values = np.random.default_rng(0).random((48, 48)).astype(np.float32)
    rng = np.random.default_rng(1)
    others = [moved(values, rng) for _ in range(4)]
    for other in others:
        np.testing.assert_array_equal(np.sort(other, axis=None), np.sort(values, axis=None))
        assert (other != values).any()


def test_the_area_under_a_curve() -> None:
    assert area(np.array([1.0, 1.0, 1.0])) == 1
    assert area(np.array([1.0, 0.0])) == 0.5
    assert area(np.array([0.0, 1.0, 0.0])) == 0.5


def enumerated(differences: NDArray[np.float64]) -> float:
    """Return Wilcoxon's one-sided p by trying every sign, for sizes that all differ."""
    ranks = np.abs(differences).argsort().argsort() + 1
    found = ranks[differences > 0].sum()
    sums = [
        sum(rank for rank, up in zip(ranks.tolist(), signs, strict=True) if up)
        for signs in itertools.product((0, 1), repeat=len(ranks))
    ]
    return float(np.mean([total >= found for total in sums]))


def test_the_paired_test_is_wilcoxons() -> None:
    differences = np.array([0.5, -0.1, 0.3, 0.9, -0.2, 0.7, 0.05])
    assert ahead(differences) == pytest.approx(enumerated(differences))
    many = np.random.default_rng(0).normal(0.2, 1, 14)
    assert ahead(many) == pytest.approx(enumerated(many), abs=0.01)
    assert ahead(-many) == pytest.approx(1 - ahead(many), abs=0.03)
    assert ahead(np.zeros(5)) == 1
    assert ahead(np.ones(200)) < 1e-12
    assert 0.3 < ahead(np.tile([1.0, -1.0], 50)) < 0.6


FOUND = Faithfulness("cam", "class activation map", 90, 0.3, 0.6, 0.4, 0.5, 0.02, 0.1, 0.05)
NOTE = Note("fer.csv", "PublicTest", "2026-01-31", (FOUND, replace(FOUND, method="cbam", p=1e-9)))


def test_a_note_is_read_as_it_was_written(classifier: OnnxClassifier) -> None:
    assert read_note(classifier.path) is None
    assert write_note(classifier.path, NOTE) == note_file(classifier.path)
    assert read_note(classifier.path) == NOTE
    found = NOTE.method("cam")
    assert found is not None
    assert not found.better
    block = NOTE.method("spatial3")
    assert block is not None
    assert block.better
    assert NOTE.method("occlusion") is None
    entry = json.loads(note_file(classifier.path).read_text())["methods"][0]
    assert entry["better"] is False


def test_a_note_of_another_version_is_not_believed(classifier: OnnxClassifier) -> None:
    write_note(classifier.path, NOTE)
    classifier.path.write_bytes(classifier.path.read_bytes() + b" ")
    assert read_note(classifier.path) is None


@pytest.mark.parametrize(
    "change", ["{", {"format": 9}, {"methods": [{"method": "cam"}]}, {"methods": 3}, {"data": ...}]
)
def test_a_damaged_note_is_said(classifier: OnnxClassifier, change: Any) -> None:
    path = write_note(classifier.path, NOTE)
    if isinstance(change, str):
        path.write_text(change)
    else:
        values = json.loads(path.read_text()) | change
        path.write_text(json.dumps({k: v for k, v in values.items() if v is not ...}))
    with pytest.raises(ModelError, match=r"^patches\.explain\.json: expected"):
        read_note(classifier.path)


def test_the_table_says_yes_and_no() -> None:
    rows = [row(entry) for entry in NOTE.methods]
    assert all(len(cells) == len(HEADER) for cells in rows)
    assert [cells[-1] for cells in rows] == ["no", "yes"]
    assert rows[1][-2] == "< 0.001"
    assert section([]) == ""
    page = section(NOTE.methods)
    assert page.count("<tr>") == 2 + 2
    assert "&lt; 0.001" in page
    good, bad = NOTE.methods[1].title, NOTE.methods[0].title
    assert f"finding what the model goes by: {good}." in page
    assert f"not to be read as a reason: {bad}." in page
    assert page.count("<svg") == 4
    # The drawing runs from 5 to 95: the dot of the first deletion area lies where its number says.
    assert f'<circle cx="{5 + 90 * NOTE.methods[0].deletion:.1f}" cy="7" r="4"/>' in page


def test_the_verdict_lists_what_there_is() -> None:
    good = NOTE.methods[1]
    three = [replace(good, title=title) for title in ("one", "two", "three")]
    assert verdict(three).endswith("goes by: one, two and three.")
    assert verdict([good]).endswith(f"goes by: {good.title}.")
    assert "No better" not in verdict([good])
    few = replace(NOTE.methods[0], n=24)
    assert verdict([good, few]).endswith(
        f"goes by: {good.title}. Unproven, with so few pictures: {few.title}."
    )
    assert verdict([]) == ""


def test_too_few_pictures_are_no_proof_that_a_method_is_no_better() -> None:
    few, enough = (replace(FOUND, n=n) for n in (ENOUGH - 1, ENOUGH))
    assert not few.better
    assert not few.refuted
    assert enough.refuted
    assert (few.doubt, enough.doubt) == ("unproven, 59 pictures", "no better than chance")
    assert [row(entry)[-1] for entry in (few, enough)] == ["unproven", "no"]
    assert "<td class=text>unproven, 59 pictures</td>" in section([few])
    better = replace(few, p=0.001)
    assert better.better
    assert better.doubt == ""


def test_enough_pictures_find_half_a_standard_deviation() -> None:
    rng = np.random.default_rng(0)
    found = [ahead(rng.normal(0.5, 1, ENOUGH)) < SIGNIFICANT for _ in range(400)]
    assert np.mean(found) > 0.87
    found = [ahead(rng.normal(0.5, 1, ENOUGH // 2)) < SIGNIFICANT for _ in range(400)]
    assert np.mean(found) < 0.75


@pytest.mark.train
def test_fer_evaluate_measures_and_keeps_it(
    classifier: OnnxClassifier,
    crops: list[Crop],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from models.cli.evaluate import main

    data = tmp_path / "fer2013.csv"
    lines = [
        f"{label},{' '.join(map(str, crop.ravel()))},PublicTest"
        for label, crop in zip(LABELS, crops, strict=True)
    ]
    data.write_text("\n".join(["emotion,pixels,Usage", *lines]) + "\n")
    out, page = tmp_path / "out.json", tmp_path / "page.html"
    words = [str(classifier.path), "--data", str(data), "--threads", "1"]
    report = ["--json", str(out), "--report", str(page)]
    assert main([*words, "--explain", "10", "--explain-save", *report]) == 0
    found = json.loads(out.read_text())["models"]["patches"]["explanations"]
    assert [entry["method"] for entry in found] == ["cam", "guided", "occlusion"]
    assert all(entry["n"] == 10 for entry in found)
    assert "Can its explanations be believed?" in page.read_text()
    assert "better than chance" in capsys.readouterr().out
    note = read_note(classifier.path)
    assert note is not None
    assert (note.data, note.split, len(note.methods)) == ("fer2013.csv", "PublicTest", 3)

    for wrong, said in (
        (["--explain", "0"], "at least 1 picture"),
        (["--explain-save"], "nothing to save"),
    ):
        assert main([*words, *wrong]) == 2
        assert said in capsys.readouterr().err
    assert main(["some.pt", "--data", str(data), "--explain"]) == 2
    assert "found a checkpoint" in capsys.readouterr().err
