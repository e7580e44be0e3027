"""Mien from Python, and every example of its page."""

from __future__ import annotations

import re
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import app
from app.api import Analyzer
from app.errors import SettingsError, SourceError
from app.sessions.folder import open_session
from app.sessions.schema import frames_schema
from models.runtime.card import ModelError

PAGE = Path(app.__file__).parent.parent / "docs" / "python.md"


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


@pytest.fixture
def face(films: Path) -> Any:
    image = cv2.imread(str(films / "photos" / "face 1.png"))
    assert image is not None
    return image


def test_a_film_gives_a_result_a_frame_and_the_same_ones_again(
    analyzer: Analyzer, films: Path
) -> None:
    first, again = (list(analyzer.results(films / "one.mp4")) for _ in range(2))
    assert [result.frame.index for result in first] == list(range(12))
    assert [result.faces[0].face.track_id for result in first] == [1] * 12
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.faces[0].probabilities, other.faces[0].probabilities)
        assert one.frame.captured_at == other.frame.captured_at


def test_every_leaves_frames_out(analyzer: Analyzer, films: Path) -> None:
    found = analyzer.results(films / "one.mp4", every=5)
    assert [result.frame.index for result in found] == [0, 5, 10]
    with pytest.raises(SettingsError, match="found 0"):
        analyzer.results(films / "one.mp4", every=0)


def test_pictures_and_other_films_meanwhile_change_nothing(
    analyzer: Analyzer, films: Path, face: Any
) -> None:
    alone = list(analyzer.results(films / "one.mp4"))
    found = []
    for one, other in zip(
        analyzer.results(films / "one.mp4"), analyzer.results(films / "two.mp4"), strict=True
    ):
        found.append(one)
        analyzer.image(face, colour="bgr")
        assert other.faces[0].face.track_id == 1
    for one, other in zip(alone, found, strict=True):
        assert one.faces[0].face.track_id == other.faces[0].face.track_id
        assert np.array_equal(one.faces[0].probabilities, other.faces[0].probabilities)


def test_a_path_is_never_a_camera_nor_the_actor(
    analyzer: Analyzer, face: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("camera", "actor"):
        Path(name).mkdir()
        cv2.imwrite(f"{name}/face.png", face)
        assert analyzer.table(Path(name))["file"].to_pylist() == ["face.png"]


def test_colour_is_said_and_heeded(analyzer: Analyzer, face: Any) -> None:
    before = face.copy()
    one = analyzer.image(face, colour="bgr")
    other = analyzer.image(face[:, :, ::-1], colour="rgb")
    gray = analyzer.image(cv2.cvtColor(face, cv2.COLOR_BGR2GRAY), colour="bgr")
    assert np.array_equal(one.frame.image, other.frame.image)
    assert np.array_equal(one.faces[0].probabilities, other.faces[0].probabilities)
    assert len(gray.faces) == 1
    assert one.faces[0].face.track_id == other.faces[0].face.track_id == 1
    face[:] = 0  # the caller's picture is still the caller's
    assert np.array_equal(one.frame.image, before)


def test_frames_of_one_s_own_are_followed(analyzer: Analyzer, face: Any) -> None:
    analyzer.reset()
    tracks = [
        analyzer.frame(face, colour="bgr", time=number / 25).faces[0].face.track_id
        for number in range(3)
    ]
    assert tracks == [1, 1, 1]


def test_a_table_has_the_columns_of_a_session(analyzer: Analyzer, films: Path) -> None:
    table = analyzer.table(films / "two.mp4")
    assert table.schema.names == [*frames_schema(analyzer.labels).names, "file"]
    assert table.num_rows == 12
    assert table["session_time"][0].as_py() == 0.0
    images = analyzer.table(str(films / "photos"))
    assert images["file"].to_pylist() == ["face 1.png", "face 10.png"]


def test_results_at_hand_become_a_table_and_a_camera_s_time_begins_at_0(
    analyzer: Analyzer,
) -> None:
    found = list(islice(analyzer.results("actor"), 3))
    assert len(found[-1].faces) == 1
    times = analyzer.table(found)["session_time"].to_pylist()
    assert times[0] == 0.0
    assert times == sorted(times)
    assert times[-1] < 60


@pytest.mark.parametrize(
    ("picture", "colour", "said"),
    [
        (np.zeros((4, 4, 3), np.uint8), "BRG", "colour order"),
        (np.zeros((4, 4, 3), np.float32), "bgr", "float32"),
        (np.zeros((4, 4, 4), np.uint8), "bgr", r"\(4, 4, 4\)"),
        (np.zeros((0, 4, 3), np.uint8), "bgr", r"\(0, 4, 3\)"),
        ("face.png", "bgr", "found str"),
    ],
)
def test_what_is_no_picture_is_one_sentence(
    analyzer: Analyzer, picture: Any, colour: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=said):
        analyzer.image(picture, colour=colour)


def test_what_cannot_be_had_is_one_sentence(analyzer: Analyzer, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.mp4"):
        analyzer.results(tmp_path / "nowhere.mp4")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    with pytest.raises(SourceError, match="cannot be played"):
        analyzer.table(tmp_path / "broken.mp4")
    with pytest.raises(SourceError, match="has no images"):
        analyzer.table(tmp_path)
    with pytest.raises(ModelError, match="nobody"):
        Analyzer("nobody")


def test_the_examples_of_the_page_run(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(examples) >= 4
    (tmp_path / "film.mp4").write_bytes((films / "one.mp4").read_bytes())
    (tmp_path / "face.png").write_bytes((films / "photos" / "face 1.png").read_bytes())
    (tmp_path / "photos").symlink_to(films / "photos")
    from app.cli import analyze

    session = [str(tmp_path / "film.mp4"), "-o", str(tmp_path / "results")]
    assert analyze.main(session) == 0
    assert open_session(tmp_path / "results" / "film").labels
    monkeypatch.chdir(tmp_path)
    if find_spec("pandas") is None:  # it is the reader's own
        examples = [
            "\n".join(
                line
                for line in each.splitlines()
                if "to_pandas" not in line and "groupby" not in line
            )
            for each in examples
        ]
    names: dict[str, Any] = {}
    for example in examples:  # each goes on where the one before ended
        exec(compile(example, str(PAGE), "exec"), names)
