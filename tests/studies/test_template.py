"""The study that others are made from."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import SettingsError
from app.study.protocol import read_protocol
from app.study.template import write_template


@pytest.mark.parametrize("name", ["my study.toml", 'R&D "new" {x} ü.toml'])
def test_the_template_is_a_study_that_runs_as_it_is(tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    write_template(path)
    protocol = read_protocol(path)
    assert protocol.title == path.stem
    assert [one.kind for one in protocol.shown] == ["text", "picture", "picture", "text"]
    assert {one.condition for one in protocol.pictorial} == {"round", "pointed"}
    assert protocol.question is not None


def test_pictures_that_are_there_stay(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    write_template(path)
    own = tmp_path / "mine" / "disc.png"
    own.write_bytes(b"own")
    write_template(path)
    assert own.read_bytes() == b"own"


def test_a_place_where_nothing_can_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("a file")
    with pytest.raises(SettingsError, match="choose another place"):
        write_template(tmp_path / "mine.toml")
