"""Which parts of a picture a model is shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.crops import TTAS, Tta, View, crop_views, cut, describe_crops, one_crop
from models.runtime.card import InputSpec
from models.runtime.errors import UserError
from models.scoring import Model, score
from models.training.augment import centre_crop
from models.training.predict import sized
from models.training.recipe import Recipe

RNG = np.random.default_rng(5)
PICTURES = RNG.integers(0, 256, (3, 48, 48)).astype(np.uint8)


def spec(size: int, field: int = 48) -> InputSpec:
    return InputSpec(size=size, mean=0.5, std=0.25, field=field)


def recorder(seen: list[NDArray[np.uint8]], size: int = 48, field: int = 48) -> Model:
    """Return a model that notes its crops and says how bright each is on the left and right."""

    def logits(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        assert crops.shape[1:] == (size, size)
        assert crops.dtype == np.uint8
        seen.append(crops)
        halves = np.stack([crops[..., : size // 2], crops[..., size // 2 :]], axis=1)
        return np.asarray(halves.mean(axis=(2, 3)), np.float32)

    return Model(
        name="recorder",
        file=Path("recorder.onnx"),
        sha256="",
        label_set="fer2013",
        labels=("left", "right"),
        input=spec(size, field),
        temperature={"one": 1.5, "mirror": 2.5},
        logits=logits,
    )


def test_one_crop_is_the_whole_picture() -> None:
    assert crop_views(48, 48, "none") == (View(0, 0, 48),)
    assert one_crop(PICTURES, spec(64)).shape == (3, 64, 64)


def test_a_smaller_field_is_the_middle_unscaled() -> None:
    (view,) = crop_views(48, 44, "none")
    assert view == View(2, 2, 44)
    np.testing.assert_array_equal(cut(PICTURES, view, 44), PICTURES[:, 2:46, 2:46])
    np.testing.assert_array_equal(one_crop(PICTURES, spec(44, 44)), PICTURES[:, 2:46, 2:46])


def test_a_field_is_part_of_fer2013s_framing_whatever_the_side_of_the_pictures() -> None:
    assert crop_views(96, 44, "none") == (View(4, 4, 88),)


def test_a_smaller_input_of_the_whole_field_is_the_whole_picture_averaged() -> None:
    fine = np.zeros((1, 48, 48), np.uint8)
    fine[..., ::2] = 200
    assert (one_crop(fine, spec(24)) == 100).all()


@pytest.mark.parametrize(("field", "size"), [(44, 36), (48, 16), (40, 40)])
def test_training_draws_pictures_as_measuring_does(field: int, size: int) -> None:
    recipe = Recipe(
        architecture="x", labels={"fer2013": 1.0}, epochs=1, input_size=size, field=field
    )
    parts = centre_crop(torch.from_numpy(PICTURES).unsqueeze(1) / 255, field)
    drawn = (sized(parts, recipe) * 255).squeeze(1).numpy()
    np.testing.assert_allclose(drawn, one_crop(PICTURES, spec(size, field)), atol=0.51)


@pytest.mark.parametrize("field", [44, 48])
def test_ten_crops_are_corners_and_middle_and_their_mirrors(field: int) -> None:
    views = crop_views(48, field, "ten-crop")
    places = {(0, 0), (4, 0), (0, 4), (4, 4), (2, 2)}
    assert len(views) == 10
    for mirrored in (False, True):
        half = [view for view in views if view.mirrored is mirrored]
        assert {(view.left, view.top) for view in half} == places
        assert {view.side for view in half} == {44}


def test_left_is_left_and_top_is_top() -> None:
    crop = cut(PICTURES, View(left=4, top=0, side=44), 44)
    np.testing.assert_array_equal(crop, PICTURES[:, :44, 4:])
    mirrored = cut(PICTURES, View(left=4, top=0, side=44, mirrored=True), 44)
    np.testing.assert_array_equal(mirrored, crop[..., ::-1])


@pytest.mark.parametrize("tta", TTAS)
@pytest.mark.parametrize(("size", "field"), [(44, 44), (48, 48), (64, 48)])
def test_the_words_name_the_crops(tta: Tta, size: int, field: int) -> None:
    words = describe_crops(48, spec(size, field), tta)
    assert ("whole" in words) == (tta != "ten-crop" and field == 48)
    assert (f"{size} x {size}" in words) == (crop_views(48, field, tta)[0].side != size)


def test_logits_are_averaged_over_a_picture_and_its_mirror_image() -> None:
    seen: list[NDArray[np.uint8]] = []
    found = score(recorder(seen), PICTURES, "flip")
    np.testing.assert_array_equal(seen[1], PICTURES[..., ::-1])
    means = PICTURES.mean(axis=(1, 2))
    np.testing.assert_allclose(found, np.stack([means, means], axis=1), rtol=1e-5)


def test_logits_are_averaged_over_ten_crops() -> None:
    found = score(recorder([], 44, 44), PICTURES, "ten-crop")
    expected = np.zeros((3, 2))
    for left, top in ((0, 0), (4, 0), (0, 4), (4, 4), (2, 2)):
        crop = PICTURES[:, top : top + 44, left : left + 44]
        expected += np.mean([crop[..., :22].mean((1, 2)), crop[..., 22:].mean((1, 2))], axis=0)[
            :, None
        ]
    np.testing.assert_allclose(found, expected / 5, rtol=1e-5)


def test_batches_keep_the_order_and_are_told() -> None:
    many = RNG.integers(0, 256, (600, 48, 48)).astype(np.uint8)
    seen: list[NDArray[np.uint8]] = []
    done: list[int] = []
    found = score(recorder(seen), many, "none", done.append)
    assert len(seen) > 1
    assert sum(done) == 600
    np.testing.assert_allclose(found[:, 0], many[..., :24].mean(axis=(1, 2)), rtol=1e-5)


def test_no_picture_to_run_on_is_said() -> None:
    with pytest.raises(UserError, match="found none"):
        score(recorder([]), PICTURES[:0], "none")


def test_the_mirror_temperature_goes_with_flip_alone() -> None:
    model = recorder([])
    assert [model.temperature_for(tta) for tta in TTAS] == [1.5, 2.5, 1.5]
    assert "1.500, from the model's card, fitted with one crop" in model.temperature_note("none")
    assert "mirror" in model.temperature_note("flip")
    ten = replace(model, temperature={"one": 1.5, "mirror": 2.5, "ten-crop": 3.5})
    assert [ten.temperature_for(tta) for tta in TTAS] == [1.5, 2.5, 3.5]
    assert "3.500, from the model's card, fitted with ten crops" in ten.temperature_note("ten-crop")
