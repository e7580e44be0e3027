from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from models.runtime.card import (
    Card,
    FileFacts,
    ModelError,
    UnsureRule,
    file_facts,
    read_card,
)
from models.runtime.errors import UserError

OPTIONAL = ("file", "format", "unsure", "neutral", "base_rates")
RULE: dict[str, Any] = {
    "threshold": 0.6,
    "precision": 0.9,
    "coverage": 0.8,
    "n": 3000,
    "split": "PublicTest",
}


def change(card: Card, **values: Any) -> str:
    """Return the JSON of a card with some fields changed."""
    return json.dumps(json.loads(card.to_json()) | values)


def test_a_card_survives_the_way_through_json(card: Card) -> None:
    assert Card.from_json(card.to_json(), "here") == card
    whole = replace(card, file=FileFacts("a.onnx", 3, "f" * 64))
    assert Card.from_json(whole.to_json(), "here") == whole
    assert whole.without_file() == card


def test_the_rules_for_reading_survive_and_older_cards_have_none(card: Card) -> None:
    assert card.unsure == {}
    assert {"unsure", "neutral", "base_rates"}.isdisjoint(json.loads(card.to_json()))
    logs = tuple(-float(place) for place in range(len(card.labels)))
    rates = tuple(1 / len(card.labels) for _ in card.labels)
    whole = replace(
        card,
        unsure={"mirror": UnsureRule(**RULE)},
        neutral={"mirror": logs},
        base_rates={"mirror": rates},
    )
    assert Card.from_json(whole.to_json(), "here") == whole


def test_a_card_without_a_field_shows_the_whole_framing(card: Card) -> None:
    assert "field" not in json.loads(card.to_json())["input"]
    assert Card.from_json(card.to_json(), "here").input.field == 48
    middle = replace(card, input=replace(card.input, size=44, field=44))
    assert json.loads(middle.to_json())["input"]["field"] == 44
    assert Card.from_json(middle.to_json(), "here") == middle


@pytest.mark.parametrize("field", [43, 0, 50, 44.0, "44", None])
def test_a_field_that_cannot_be_is_refused(field: Any, card: Card) -> None:
    values = json.loads(card.to_json())
    values["input"]["field"] = field
    with pytest.raises(ModelError, match="expected a field of 16 to 48 pixels, an even number"):
        Card.from_json(json.dumps(values), "here")


def test_a_card_is_plain_readable_json(card: Card) -> None:
    text = replace(card, licence="für Forschung").to_json()
    assert "für Forschung" in text
    assert text.endswith("}\n")
    assert json.loads(text)["labels"][0] == "anger"


def test_metric_finds_the_validation_figures(card: Card) -> None:
    mirror = card.metric("mirror")
    assert mirror is not None
    assert mirror.accuracy == 0.6
    other = replace(card, metrics=tuple(replace(m, split="PrivateTest") for m in card.metrics))
    assert other.metric("mirror") is None


@pytest.mark.parametrize(
    "name", [entry.name for entry in fields(Card) if entry.name not in OPTIONAL]
)
def test_a_missing_field_is_named(name: str, card: Card) -> None:
    values = json.loads(card.to_json())
    del values[name]
    with pytest.raises(ModelError, match=f"^mine.json: expected a complete model card.*{name}"):
        Card.from_json(json.dumps(values), "mine.json")


def test_an_unknown_field_is_named(card: Card) -> None:
    with pytest.raises(ModelError, match=r"mine\.json: .*unknown accurracy"):
        Card.from_json(change(card, accurracy=1), "mine.json")


@pytest.mark.parametrize("part", ["input", "metrics", "file"])
def test_a_fault_in_a_part_is_named(part: str, card: Card) -> None:
    values = json.loads(replace(card, file=FileFacts("a.onnx", 3, "f" * 64)).to_json())
    inner = values[part][0] if part == "metrics" else values[part]
    removed = next(iter(inner))
    inner["extra"] = inner.pop(removed)
    with pytest.raises(ModelError, match=f"found no {removed}, unknown extra"):
        Card.from_json(json.dumps(values), "mine.json")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"labels": ["anger"]}, "at least two labels"),
        ({"labels": [1, 2]}, "at least two labels"),
        ({"labels": None}, "complete model card"),
        ({"input": None}, "complete model card"),
        ({"input": [48]}, "complete model card"),
        ({"metrics": 5}, "complete model card"),
        ({"temperature": {"one": 1.0}}, "temperatures for one and mirror above 0"),
        ({"temperature": {"one": 1.0, "mirror": 0}}, "temperatures for one and mirror above 0"),
        ({"temperature": {"one": float("nan"), "mirror": 1}}, "temperatures for one and mirror"),
        ({"temperature": 1.0}, "complete model card"),
        ({"unsure": {"one": RULE | {"threshold": 1.5}}}, "thresholds from 0 to 1"),
        ({"unsure": {"one": {"threshold": 0.5}}}, "complete model card, found no coverage"),
        ({"unsure": 0.5}, "complete model card"),
        ({"neutral": {"one": [-1.0]}}, "a neutral mean for each label"),
        ({"format": 2}, "model card of format 1, found another"),
        ({"format": None}, "model card of format 1, found another"),
    ],
)
def test_a_senseless_value_is_a_sentence(values: dict[str, Any], said: str, card: Card) -> None:
    with pytest.raises(ModelError, match=f"^mine.json: expected .*{said}"):
        Card.from_json(change(card, **values), "mine.json")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"size": 8}, "an input of 16 to 512 pixels, found 8"),
        ({"size": 48.0}, "an input of 16 to 512 pixels, found 48.0"),
        ({"size": "48"}, "an input of 16 to 512 pixels, found 48"),
        ({"std": 0}, "a mean and a std above 0"),
        ({"mean": float("nan")}, "a mean and a std above 0"),
        ({"mean": "half"}, "complete model card"),
        ({"colour": "rgb"}, "gray input framed as fer2013, found rgb"),
        ({"framing": "imagenet"}, "gray input framed as fer2013, found gray imagenet"),
    ],
)
def test_a_senseless_input_is_a_sentence(values: dict[str, Any], said: str, card: Card) -> None:
    known = json.loads(card.to_json())["input"]
    with pytest.raises(ModelError, match=said):
        Card.from_json(change(card, input=known | values), "mine.json")


@pytest.mark.parametrize("text", ["", "nonsense", "[1, 2]", "3", "null", '{"format": 1}'])
def test_a_text_that_is_no_card_is_a_sentence(text: str) -> None:
    with pytest.raises(ModelError, match=r"^mine\.json: expected a (complete )?model card"):
        Card.from_json(text, "mine.json")


def test_a_card_that_is_no_text_is_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ModelError, match=r"^mine\.json: expected a model card in JSON"):
        read_card(path)
    with pytest.raises(ModelError, match=r"^other\.json: expected a model card in JSON"):
        read_card(tmp_path / "other.json")


def test_file_facts_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"abc")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert file_facts(path) == FileFacts("a.onnx", 3, digest)


def test_a_model_error_is_shown_to_users() -> None:
    assert issubclass(ModelError, UserError)
