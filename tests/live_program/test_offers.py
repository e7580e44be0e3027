"""Which views a model offers, and which can be believed."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from app.live.offers import Offers, offers_of
from app.settings import Settings
from app.views import BLOCKS, CAM, GUIDED, LOOK, OCCLUSION, REGIONS, VIEWS
from models.explain.faithfulness import Faithfulness
from models.explain.note import Note, note_file, write_note
from models.runtime.classifier import OnnxClassifier
from models.runtime.store import bundled

OUTPUTS = {
    CAM: ("cam",),
    LOOK: ("theta", "warped"),
    REGIONS: ("self", "region", "square"),
    BLOCKS: tuple(f"spatial{number}" for number in range(1, 9)),
}


class Model:
    """A classifier of which only card and file matter here."""

    def __init__(self, path: Path, outputs: tuple[str, ...]) -> None:
        self.path = path
        card = bundled()[0].card
        self.card = replace(card, outputs=dict.fromkeys(("logits", *outputs), ""), file=None)


def measured(method: str, *, better: bool, n: int = 100) -> Faithfulness:
    p = 0.0001 if better else 0.4
    return Faithfulness(method, method, n, 0.2, 0.6, 0.4, 0.4, p, p, p)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx"
    path.write_bytes(b"weights")
    return path


def test_no_view_is_offered_before_a_model_is_there() -> None:
    assert offers_of(None) == Offers()
    assert Offers().possible == ()
    assert Offers().choose(CAM) == ""
    assert {offer.why_not for offer in Offers().views} == {"the model is not loaded yet"}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_model_offers_what_its_outputs_show(name: str, file: Path) -> None:
    offered = offers_of(Model(file, OUTPUTS[name]))
    names = [offer.view.name for offer in offered.possible]
    blocks = [f"spatial{number}" for number in range(1, 9)] if name == BLOCKS else []
    assert names == [name, *blocks, OCCLUSION]
    assert [offer.view.name for offer in offered.views] == list(VIEWS)
    assert all(offer.why_not for offer in offered.views if offer.view.name not in names)
    assert offered.choose("") == name
    assert offered.choose(GUIDED) == name


def test_guided_backpropagation_needs_its_graph(file: Path) -> None:
    model = Model(file, ("cam",))
    guided = next(offer for offer in offers_of(model).views if offer.view.name == GUIDED)
    assert "no backward graph" in guided.why_not
    file.with_name("net.guided.onnx").write_bytes(b"graph")
    assert offers_of(model).find(GUIDED) is not None


def test_what_was_tried_in_vain_is_not_offered(file: Path) -> None:
    offered = offers_of(Model(file, ("cam",)), {OCCLUSION: "it takes 9.0 s"})
    assert offered.find(OCCLUSION) is None
    assert "it takes 9.0 s" in {offer.why_not for offer in offered.views}


def test_what_is_no_better_than_chance_is_marked_and_shown_last(file: Path) -> None:
    methods = (measured("cam", better=False), measured("occlusion", better=True))
    model = Model(file, ("cam",))
    write_note(file, Note("fer2013.parquet", "PublicTest", "2026-01-31", methods))
    offered = offers_of(model)
    cam, occlusion = offered.find(CAM), offered.find(OCCLUSION)
    assert cam is not None
    assert occlusion is not None
    assert (cam.doubt, occlusion.doubt) == ("no better than chance", "")
    assert offered.choose("") == OCCLUSION
    assert offered.choose(CAM) == CAM, "who wishes it, sees it"


def test_what_few_pictures_could_not_prove_comes_between(file: Path) -> None:
    file.with_name("net.guided.onnx").write_bytes(b"graph")
    methods = (
        measured("cam", better=False),
        measured("occlusion", better=False),
        measured("guided", better=False, n=24),
    )
    model = Model(file, ("cam",))
    write_note(file, Note("fer2013.parquet", "PublicTest", "2026-01-31", methods))
    offered = offers_of(model)
    guided = offered.find(GUIDED)
    assert guided is not None
    assert guided.doubt == "unproven, 24 pictures"
    assert offered.choose("") == GUIDED, "rather than what is no better than chance"
    write_note(
        file,
        Note("d", "PublicTest", "2026-01-31", (*methods[::2], measured("occlusion", better=True))),
    )
    assert offers_of(model).choose("") == OCCLUSION, "rather than what is unproven"


@pytest.mark.parametrize(("parameters", "first"), [(58_000, OCCLUSION), (11_000_000, GUIDED)])
def test_a_heavy_network_is_not_covered_a_hundred_times_unasked(
    file: Path, parameters: int, first: str
) -> None:
    write_note(file, Note("d", "PublicTest", "2026-01-31", (measured("cam", better=False),)))
    file.with_name("net.guided.onnx").write_bytes(b"graph")
    model = Model(file, ("cam",))
    model.card = replace(model.card, parameters=parameters)
    offered = offers_of(model)
    assert offered.choose("") == first
    assert offered.choose(OCCLUSION) == OCCLUSION


def test_all_blocks_share_the_doubt(file: Path) -> None:
    write_note(file, Note("d", "PublicTest", "2026-01-31", (measured("cbam", better=False),)))
    offered = offers_of(Model(file, OUTPUTS[BLOCKS]))
    doubted = [offer.view.name for offer in offered.possible if offer.doubt]
    assert doubted == [BLOCKS, *OUTPUTS[BLOCKS]]


def test_a_damaged_note_is_no_doubt(file: Path) -> None:
    note_file(file).write_text("{", encoding="utf-8")
    offered = offers_of(Model(file, ("cam",)))
    assert offered.find(CAM) is not None
    assert not any(offer.doubt for offer in offered.views)


def test_a_bundled_model_offers_its_map_and_can_be_occluded(tmp_path: Path) -> None:
    entry = bundled()[0]
    copy = tmp_path / entry.file.name
    for suffix in (".onnx", ".json"):
        shutil.copy(entry.file.with_suffix(suffix), copy.with_suffix(suffix))
    offered = offers_of(OnnxClassifier(copy, provider="CPU"))
    assert [offer.view.name for offer in offered.possible] == [CAM, OCCLUSION]
    assert offered.card is not None
    assert offered.choose(Settings().attention_view) == CAM
