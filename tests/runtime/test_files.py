from __future__ import annotations

from pathlib import Path

import pytest

from models.runtime.errors import UserError
from models.runtime.files import user_path, written_whole


def test_what_was_written_takes_the_place(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text("old")
    with written_whole(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("stop", [OSError, KeyboardInterrupt])
def test_a_stop_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, stop: type[BaseException]
) -> None:
    path = tmp_path / "figures.json"
    path.write_text("old")

    def write_half() -> None:
        with written_whole(path) as partial:
            partial.write_text("ne")
            raise stop

    with pytest.raises(stop):
        write_half()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_path_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert user_path("~/film.mp4") == tmp_path / "film.mp4"
    assert user_path("./~film.mp4") == Path("~film.mp4"), "a name that merely has the sign"
    assert user_path("films/~") == Path("films/~")


def test_the_home_of_nobody_is_refused_in_one_sentence() -> None:
    with pytest.raises(UserError, match=r"found '~no-such-user-here/x', whose ~ names no user"):
        user_path("~no-such-user-here/x")
