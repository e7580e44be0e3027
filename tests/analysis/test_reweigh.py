"""What a session would have been with other base rates, against what an analysis makes of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app.cli import analyze
from app.review.look_again import model_of
from app.review.recording import Recording, ReviewError, open_recording
from app.review.second import reweigh
from app.sessions.folder import read_info, write_info
from models.runtime.base_rates import AS_MEASURED, BaseRates


@pytest.fixture(scope="module")
def both(films: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    """Return one film, analysed with the base rates measured and with even ones."""
    out = tmp_path_factory.mktemp("rates")
    for rates in ("", "even"):
        words = [str(films / "one.mp4"), "-o", str(out / f"rates{rates}"), "--base-rates", rates]
        assert analyze.main(words) == 0
    return {rates: open_recording(out / f"rates{rates}" / "one") for rates in ("", "even")}


@pytest.mark.parametrize(("had", "wanted"), [("", "even"), ("even", "")])
def test_it_is_what_an_analysis_with_those_makes(
    both: dict[str, Recording], had: str, wanted: str
) -> None:
    rates = BaseRates.parse(wanted)
    found = reweigh(both[had], model_of(both[had], rates))
    expected = both[wanted]
    np.testing.assert_allclose(found.shown, expected.shown, atol=2e-3)
    assert not np.allclose(both[had].shown, expected.shown, atol=2e-2)
    assert found.decided.tolist() == np.where(expected.unsure, -1, expected.decided).tolist()
    assert found.read.all()
    assert found.model.startswith("mini_xception.ferplus, ")


def test_another_model_of_that_name_is_not_asked(both: dict[str, Recording]) -> None:
    recording = both[""]
    info = read_info(recording.path)
    write_info(recording.path, info | {"model": info["model"] | {"sha256": "0" * 64}})
    with pytest.raises(ReviewError, match="is another one now"):
        model_of(open_recording(recording.path), AS_MEASURED)
    write_info(recording.path, info)
