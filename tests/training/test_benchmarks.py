"""The scripts of `benchmarks` that fit and measure networks."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.data.face_set import FaceSet, clean_training
from models.runtime.store import bundled, load_model

pytestmark = pytest.mark.train


def script(name: str) -> ModuleType:
    """Return a script of `benchmarks` as a module."""
    file = Path(__file__).parents[2] / "benchmarks" / f"{name}.py"
    spec = spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_network_of_covers_sees_no_copy_of_a_public_test_face(
    faces: FaceSet,
    write_data: Callable[[FaceSet, str, Path], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fitting = script("fit_cover")
    seen: list[NDArray[np.uint8]] = []
    whole = fitting.Covers

    def noted(pictures: NDArray[np.uint8], seed: int) -> object:
        seen.append(pictures)
        return whole(pictures, seed)

    monkeypatch.setattr(fitting, "Covers", noted)
    monkeypatch.setattr(fitting, "area_under_curve", lambda *_: 0.5)
    monkeypatch.setattr(fitting, "fit", lambda covers, _: fitting.make_network().eval())
    monkeypatch.setattr(fitting, "export", lambda *_: None)
    monkeypatch.setattr(
        "sys.argv", ["fit_cover", "--data", str(write_data(faces, "icml", tmp_path))]
    )
    fitting.main()
    assert len(seen[0]) == len(clean_training(faces)[0])


def test_a_network_of_covers_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitting = script("fit_cover")
    file = tmp_path / "cover.onnx"
    file.write_bytes(b"the old one")

    def stop_half_way(_: object, __: object, path: Path, **___: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(torch.onnx, "export", stop_half_way)
    with pytest.raises(KeyboardInterrupt):
        fitting.export(fitting.make_network(), file)
    assert file.read_bytes() == b"the old one"
    assert [path.name for path in tmp_path.iterdir()] == ["cover.onnx"]


def test_bounds_of_quality_are_measured_with_a_model_of_another_field() -> None:
    name = next(each.name for each in bundled() if each.card.input.field != 48)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    told = script("quality_bounds").row(load_model(name), pictures, np.zeros(3, np.int64))
    assert told.startswith("accuracy ")
