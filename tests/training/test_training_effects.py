from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models.data.face_set import FaceSet, clean_training
from models.runtime.errors import UserError
from models.training.average import WeightAverage
from models.training.checkpoint import load_checkpoint, save_checkpoint
from models.training.device import choose_device
from models.training.examples import Examples, make_examples
from models.training.loop import Trainer
from models.training.metrics import accuracy
from models.training.predict import build_network, predict
from models.training.recipe import Augmentation, Recipe
from models.training.run import train

pytestmark = pytest.mark.train

CPU = torch.device("cpu")


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(
        torch.equal(value, second[name]) for name, value in first.items()
    )


def test_a_step_lowers_the_loss(plain: Recipe, eight: Examples) -> None:
    # Eight pictures are one batch, so an epoch is a step, and its loss that before the step.
    trainer = Trainer(plain, CPU)
    assert trainer.train_epoch(eight) > trainer.train_epoch(eight)


def test_every_parameter_gets_a_gradient(plain: Recipe, eight: Examples) -> None:
    trainer = Trainer(plain, CPU)
    trainer.train_epoch(eight)
    without = [
        name
        for name, parameter in trainer.network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert without == []


def test_eight_pictures_are_learnt_by_heart(plain: Recipe, eight: Examples) -> None:
    trainer = Trainer(replace(plain, epochs=60), CPU)
    losses = [trainer.train_epoch(eight) for _ in range(60)]
    logits = predict(trainer.network, eight.pixels, plain)
    assert accuracy(logits[:, :7], eight.truth["fer2013"]) == 1
    assert accuracy(logits[:, 7:], eight.truth["ferplus"]) == 1
    assert losses[-1] < losses[0] / 2


def test_a_short_run_learns_what_it_never_saw(trained: Path) -> None:
    history = load_checkpoint(trained / "last.pt")["history"]
    assert history[-1]["fer2013"] > 0.6
    assert history[-1]["ferplus"] > 0.6


def test_on_step_hears_of_every_batch(plain: Recipe, faces: FaceSet) -> None:
    training, _ = clean_training(faces)
    heard: list[tuple[int, float]] = []
    trainer = Trainer(plain, CPU)
    examples = make_examples(training, trainer.label_sets, CPU)
    loss = trainer.train_epoch(examples, lambda seen, mean: heard.append((seen, mean)))
    assert [seen for seen, _ in heard] == [16, 32, 48, 62]
    assert heard[-1][1] == loss


def test_every_epoch_takes_every_picture_once_in_an_order_of_its_own(
    recipe: Recipe, faces: FaceSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[list[int]] = [[], []]
    trainer = Trainer(recipe, CPU)

    def note(
        examples: Examples, rows: torch.Tensor, step: int, generator: torch.Generator
    ) -> float:
        orders[trainer.epoch] += rows.tolist()
        return 1.0

    monkeypatch.setattr(trainer, "_step", note)
    examples = make_examples(faces.split("Training"), trainer.label_sets, CPU)
    trainer.train_epoch(examples)
    trainer.train_epoch(examples)
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(64))
    assert orders[0] != orders[1]


def test_a_last_batch_of_a_few_is_left_out(plain: Recipe, faces: FaceSet) -> None:
    seen: list[int] = []
    trainer = Trainer(plain, CPU)
    examples = make_examples(faces.select(np.arange(39)), trainer.label_sets, CPU)
    trainer.train_epoch(examples, lambda count, _: seen.append(count))
    assert seen == [16, 32]


def test_the_average_follows_by_its_decay(recipe: Recipe) -> None:
    network = build_network(recipe)
    average = WeightAverage(network, decay=0.5)
    start = network.classifier.weight.detach().clone()
    statistics = next(b for b in network.buffers() if b.dtype == torch.int64)
    with torch.no_grad():
        network.classifier.weight += 1
        statistics += 5
    average.update(network, step=1000)
    torch.testing.assert_close(average.network.classifier.weight, start + 0.5)
    assert next(b for b in average.network.buffers() if b.dtype == torch.int64) == 5
    assert not average.network.training
    assert not any(p.requires_grad for p in average.network.parameters())


def test_the_random_start_is_forgotten_early(recipe: Recipe) -> None:
    network = build_network(recipe)
    average = WeightAverage(network, decay=0.999)
    start = network.classifier.weight.detach().clone()
    with torch.no_grad():
        network.classifier.weight += 1
    average.update(network, step=0)
    torch.testing.assert_close(average.network.classifier.weight, start + 0.9)


def test_the_averaged_weights_are_what_is_evaluated(plain: Recipe, eight: Examples) -> None:
    trainer = Trainer(plain, CPU)
    trainer.train_epoch(eight)
    logits = predict(trainer.average.network, eight.pixels, plain)
    expected = accuracy(logits[:, :7], eight.truth["fer2013"])
    with torch.no_grad():
        for parameter in trainer.network.parameters():
            parameter.zero_()
    assert trainer.evaluate(eight)["fer2013"] == expected
    assert not same(trainer.network.state_dict(), trainer.average.network.state_dict())


def test_pictures_without_a_label_do_not_count_in_evaluation(plain: Recipe, faces: FaceSet) -> None:
    part = faces.select(np.arange(24, 32))
    assert part.votes is not None
    votes = part.votes.copy()
    votes[4:] = 0
    trainer = Trainer(plain, CPU)
    few = make_examples(part.select(np.arange(4)), trainer.label_sets, CPU)
    some = make_examples(replace(part, votes=votes), trainer.label_sets, CPU)
    assert trainer.evaluate(some)["ferplus"] == trainer.evaluate(few)["ferplus"]


def test_a_run_resumed_equals_one_unbroken(recipe: Recipe, faces: FaceSet, tmp_path: Path) -> None:
    unbroken, stopped, resumed = (Trainer(recipe, CPU) for _ in range(3))
    examples = make_examples(clean_training(faces)[0], unbroken.label_sets, CPU)
    for _ in range(4):
        unbroken.train_epoch(examples)
    for _ in range(2):
        stopped.train_epoch(examples)
    save_checkpoint(tmp_path / "last.pt", {**stopped.state(), "environment": {}})
    torch.manual_seed(99)
    resumed.restore(load_checkpoint(tmp_path / "last.pt"))
    assert resumed.epoch == 2
    for _ in range(2):
        resumed.train_epoch(examples)
    assert same(resumed.network.state_dict(), unbroken.network.state_dict())
    assert same(resumed.average.network.state_dict(), unbroken.average.network.state_dict())
    assert not same(resumed.network.state_dict(), stopped.network.state_dict())


def test_a_run_gone_on_with_has_as_many_steps_as_before(recipe: Recipe) -> None:
    begun, compiled = Trainer(recipe, CPU), Trainer(recipe, CPU)
    compiled._even = True  # as with --compile, which drops a smaller last batch
    order = torch.arange(recipe.batch_size * 2 + recipe.batch_size // 2)
    steps = len(begun._batches(order)), len(compiled._batches(order))
    assert steps == (3, 2)
    begun.restore(compiled.state())
    assert len(begun._batches(order)) == 2


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"learning_rate": 1e-3}, "learning_rate"),
        ({"seed": 2, "epochs": 9}, "epochs, seed"),
        ({"augmentation": Augmentation(flip=0.1)}, "augmentation"),
        # The same weights, but the heads the other way round.
        ({"labels": {"ferplus": 1.0, "fer2013": 1.0}}, "labels"),
    ],
)
def test_another_recipe_is_not_resumed(
    change: dict[str, object], named: str, recipe: Recipe
) -> None:
    state = Trainer(recipe, CPU).state()
    other = Recipe.from_dict(recipe.as_dict() | change)
    with pytest.raises(UserError, match=f"same recipe, found one that differs in {named}:"):
        Trainer(other, CPU).restore(state)


def test_a_run_that_holds_its_rate_can_be_made_longer(recipe: Recipe, faces: FaceSet) -> None:
    examples = make_examples(faces.split("Training"), list(recipe.labels), CPU)
    short = replace(recipe, schedule="hold", warmup=0.0, fall=0.5, epochs=2)
    long = replace(short, epochs=4, fall=0.25)
    unbroken, begun, longer = Trainer(long, CPU), Trainer(short, CPU), Trainer(long, CPU)
    begun.train_epoch(examples)
    longer.restore(begun.state())
    unbroken.train_epoch(examples)
    for trainer in (longer, unbroken):
        trainer.train_epoch(examples)
    for ours, theirs in zip(
        longer.network.parameters(), unbroken.network.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)
    begun.train_epoch(examples)  # its rate falls now
    with pytest.raises(UserError, match="differs in epochs"):
        Trainer(replace(short, epochs=4), CPU).restore(begun.state())


@pytest.mark.parametrize(
    ("short", "long", "named"),
    [
        # Epochs 1 and 2 of 8 blended, 3 and 4 did not; of 16 all four would have.
        (
            {"epochs": 8, "augmentation": Augmentation(mixup=0.4, mixup_until=0.25)},
            {"epochs": 16},
            "epochs, by which mixup_until made",
        ),
        (
            {"epochs": 8, "architecture": "cbam_resnet18", "loss": "a_softmax"},
            {"epochs": 16},
            "epochs, by which loss made",
        ),
        ({"epochs": 8, "warmup": 0.125}, {"epochs": 16}, "epochs, by which warmup made"),
        ({"epochs": 8, "warmup": 0.125}, {"epochs": 8, "warmup": 0.25}, "warmup, by which warmup"),
    ],
)
def test_a_held_run_whose_epochs_would_have_been_others_is_not_made_longer(
    short: dict[str, Any], long: dict[str, Any], named: str, recipe: Recipe
) -> None:
    made_by = replace(recipe, schedule="hold", warmup=0.0, fall=0.25, augmentation=Augmentation())
    made_by = replace(made_by, **short)
    state = Trainer(made_by, CPU).state() | {"epoch": 4}
    with pytest.raises(UserError, match=f"found one that differs in {named}"):
        Trainer(replace(made_by, **long), CPU).restore(state)
    Trainer(replace(made_by, fall=0.5), CPU).restore(state)


@pytest.mark.parametrize(
    ("short", "long"),
    [
        (
            {"epochs": 8, "augmentation": Augmentation(mixup=0.4, mixup_until=0.875)},
            {"epochs": 16},
        ),
        ({"epochs": 8, "warmup": 0.05}, {"epochs": 16, "warmup": 0.025}),
    ],
)
def test_a_held_run_whose_epochs_would_have_been_the_same_is_made_longer(
    short: dict[str, Any], long: dict[str, Any], recipe: Recipe
) -> None:
    made_by = replace(recipe, **({"warmup": 0.0} | short), schedule="hold", fall=0.125)
    longer = Trainer(replace(made_by, **long), CPU)
    longer.restore(Trainer(made_by, CPU).state() | {"epoch": 7})
    assert longer.epoch == 7


def test_a_checkpoint_from_before_a_key_was_added_is_resumed(recipe: Recipe) -> None:
    plain = replace(recipe, augmentation=Augmentation())
    state = Trainer(plain, CPU).state()
    del state["recipe"]["augmentation"]["gamma"]
    Trainer(plain, CPU).restore(state)


def test_a_loss_that_is_no_number_ends_the_run_with_a_sentence(
    recipe: Recipe,
    data: Path,
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
) -> None:
    name = write_recipe(replace(recipe, learning_rate=1e30), tmp_path)
    with pytest.raises(UserError, match=r"epoch 1, step \d: expected a loss that is a number"):
        train(recipe_name=name, data=data, out=tmp_path / "run", device="cpu")
    assert not (tmp_path / "run" / "last.pt").exists()


def test_the_private_test_has_no_part_in_training(
    recipe: Recipe,
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    write_recipe: Callable[[Recipe, Path], str],
    tmp_path: Path,
) -> None:
    assert faces.votes is not None
    other = replace(
        faces, pixels=faces.pixels.copy(), labels=faces.labels.copy(), votes=faces.votes.copy()
    )
    private = faces.splits == "PrivateTest"
    other.pixels[private] = 255 - other.pixels[private]
    other.labels[private] = (other.labels[private] + 1) % 7
    assert other.votes is not None
    other.votes[private] = 0
    name = write_recipe(replace(recipe, epochs=1), tmp_path)
    states = []
    for folder, content in ((tmp_path / "one", faces), (tmp_path / "two", other)):
        path = write_data(content, "parquet", folder)
        train(recipe_name=name, data=path, out=folder / "run", device="cpu")
        states.append(load_checkpoint(folder / "run" / "last.pt"))
    assert same(states[0]["network"], states[1]["network"])
    assert states[0]["history"][0]["fer2013"] == states[1]["history"][0]["fer2013"]


def test_the_device_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto").type == "cuda"
    assert choose_device("cpu").type == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto").type == "cpu"
    for name in ("cuda", "tpu"):
        with pytest.raises(UserError, match=f"found '{name}'; this machine has cpu only"):
            choose_device(name)
