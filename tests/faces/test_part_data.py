"""What the cards of finder and landmarks say of the pictures trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from models.card_making import LICENCE_OF_MIXED, LICENCE_OF_OWN
from models.landmarks_export import landmarks_card
from models.nets.landmarks68 import Landmarks68
from models.part_data import BEGUN, FINDER, LANDMARKS, PROJECT, Words, told
from models.runtime.part_card import bundled_parts
from models.training import finder_data
from models.training.checkpoint import load_checkpoint
from models.training.finder_recipe import FinderRecipe
from models.training.finder_run import FinderTrainer, begin_from, train_finder
from models.training.landmark_loop import LandmarkTrainer
from models.training.landmark_recipe import LandmarkRecipe
from models.training.tasks import TaskRun

pytestmark = pytest.mark.train

DRAWN = ["drawn", "scenes"]

both = pytest.mark.parametrize("words", [FINDER, LANDMARKS])


@pytest.mark.parametrize("sources", [None, PROJECT])
def test_of_the_projects_pictures_the_bundled_cards_words_are_said(
    sources: tuple[str, ...] | None,
) -> None:
    for card in bundled_parts():
        words = {"finder": FINDER, "landmarks": LANDMARKS}[card.kind]
        assert told(words, sources) == (card.data, card.licence, card.limits)


@both
def test_of_ones_own_pictures_nothing_is_claimed(words: Words) -> None:
    data, licence, limits = told(words, ["scenes", "mine"])
    assert data == ("pictures of the trainer's own",)
    assert licence == LICENCE_OF_OWN
    said = " ".join(limits)
    for untrue in ("279", "YuNet", "television"):
        assert untrue not in said
    assert "knows nothing more" in said


@both
def test_both_together_are_both_named(words: Words) -> None:
    data, licence, _ = told(words, ["mtfl", "mine", "scenes"])
    assert ["MTFL" in data[0], "mask" in data[0]] == [True, False]
    assert data[1:] == ("pictures of the trainer's own",)
    assert licence == LICENCE_OF_MIXED
    begun, licence, _ = told(words, ["mine", BEGUN])
    assert "began with" in begun[-1]
    assert licence == LICENCE_OF_MIXED


def test_a_finders_checkpoint_keeps_where_its_pictures_are_from(
    face_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finder_data, "VALIDATION_MOSAICS", 2)
    recipe = tmp_path / "small.toml"
    recipe.write_text('task = "face_finder"\nepochs = 1\nsteps = 1\nbatch_size = 2\nside = 96\n')
    train_finder(TaskRun(str(recipe), face_folder, tmp_path / "run", device="cpu", threads=1))
    last, final = (load_checkpoint(tmp_path / "run" / f"{name}.pt") for name in ("last", "final"))
    assert last["sources"] == final["sources"] == DRAWN
    again = FinderTrainer(FinderRecipe.from_dict(last["recipe"]), torch.device("cpu"))
    again.restore(last)
    begin_from(again, tmp_path / "run" / "last.pt", maker=None)  # type: ignore[arg-type]
    assert again.state()["sources"] == [*DRAWN, BEGUN]
    del last["sources"]  # as an older version wrote it
    again.restore(last)
    assert again.sources is None


def test_landmarks_of_another_training_say_whose_confidences_they_go_by() -> None:
    trainer = LandmarkTrainer(LandmarkRecipe(epochs=1), torch.device("cpu"))
    trainer.history.append({"seconds": 1.0})
    values = {**trainer.state(), "environment": {}}
    said = [landmarks_card({**values, "sources": each}, Landmarks68()) for each in (None, ["mine"])]
    assert "were chosen for the network that comes with Mien" not in " ".join(said[0].limits)
    assert "were chosen for the network that comes with Mien" in " ".join(said[1].limits)
    assert said[1].data == ("pictures of the trainer's own",)
    trainer.sources = ["mine"]
    trainer.begin_with(trainer.network.state_dict())
    again = LandmarkTrainer(LandmarkRecipe(epochs=1), torch.device("cpu"))
    again.restore(trainer.state())
    assert again.sources == ["mine", BEGUN]
