"""What files, folders and patterns come to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.analysis.inputs import IMAGES, VIDEO, Input, find_inputs, session_names
from app.errors import SourceError
from app.sources.video import VideoSource


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "film 10.mp4", "film 2.MKV", "notes.txt", ".hidden.mp4", "a.jpg", "sub/b.png",
        "sub/c.png", "sub/deep/d.mov", ".cache/e.mp4", "out/clip/video.mp4",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return tmp_path


def named(inputs: list[Input], root: Path) -> list[tuple[str, str, int]]:
    return [
        (each.kind, each.place.relative_to(root).as_posix(), len(each.paths)) for each in inputs
    ]


def test_a_folder_gives_its_films_and_one_table_for_the_images_of_each_folder(tree: Path) -> None:
    found = find_inputs([str(tree)], leave_out=tree / "out")
    assert named(found, tree) == [
        (IMAGES, ".", 1),
        (VIDEO, "film 2.MKV", 1),
        (VIDEO, "film 10.mp4", 1),
        (IMAGES, "sub", 2),
        (VIDEO, "sub/deep/d.mov", 1),
    ]


def test_a_session_gives_its_video_once_and_under_its_own_name(tmp_path: Path) -> None:
    for name in ("first", "second"):
        session = tmp_path / name
        session.mkdir()
        for file in ("session.json", "video.mkv", "video_annotated.mkv"):
            (session / file).write_bytes(b"")
    found = find_inputs([str(tmp_path)])
    assert named(found, tmp_path) == [
        (VIDEO, "first/video.mkv", 1),
        (VIDEO, "second/video.mkv", 1),
    ]
    assert session_names(found, []) == ["first", "second"]
    (drawn_on,) = find_inputs([str(tmp_path / "first" / "video_annotated.mkv")])
    assert drawn_on.name == "video_annotated", "who names it wants it"
    (tmp_path / "first" / "session.json").unlink()
    assert [each.name for each in find_inputs([str(tmp_path / "first")])] == [
        "video", "video_annotated",
    ]  # fmt: skip


def test_what_is_named_comes_once_and_in_the_order_given(tree: Path) -> None:
    words = [tree / "sub" / "c.png", tree / "film 10.mp4", tree / "film 10.mp4", tree / "sub"]
    found = find_inputs([str(word) for word in words])
    assert named(found, tree) == [
        (IMAGES, "sub", 2),
        (VIDEO, "film 10.mp4", 1),
        (VIDEO, "sub/deep/d.mov", 1),
    ]
    assert [path.name for path in found[0].paths] == ["b.png", "c.png"]


def test_patterns_take_what_can_be_analysed(tree: Path) -> None:
    assert named(find_inputs([str(tree / "film*")]), tree) == [
        (VIDEO, "film 2.MKV", 1),
        (VIDEO, "film 10.mp4", 1),
    ]
    deep = find_inputs([str(tree / "sub" / "**" / "*")])
    assert named(deep, tree) == [(IMAGES, "sub", 2), (VIDEO, "sub/deep/d.mov", 1)]


def test_patterns_take_no_results(tmp_path: Path) -> None:
    for folder in ("study", "results/film"):
        (tmp_path / folder).mkdir(parents=True)
        for name in ("session.json", "video.mkv", "video_annotated.mkv"):
            (tmp_path / folder / name).write_text("{}")
    for pattern in ("**/*.mkv", "*/*.mkv", "*"):
        found = find_inputs([str(tmp_path / pattern)], leave_out=tmp_path / "results")
        assert [each.place for each in found] == [tmp_path / "study" / "video.mkv"], pattern


def test_inputs_are_found_from_any_folder(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree)
    for word in (".", "film 10.mp4", "film*"):
        assert all(path.is_absolute() for each in find_inputs([word]) for path in each.paths), word


def test_a_file_that_is_named_with_a_pattern_s_letters_is_that_file(tmp_path: Path) -> None:
    (tmp_path / "take [1].mp4").write_bytes(b"")
    assert [each.name for each in find_inputs([str(tmp_path / "take [1].mp4")])] == ["take [1]"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nowhere.mp4", 'found no ".*nowhere.mp4"'),
        ("*.gif", 'match ".*gif", found none'),
        ("empty", 'Expected images or videos, found none in ".*empty"'),
    ],
)
def test_nothing_to_analyse_is_one_sentence(tmp_path: Path, word: str, said: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match=said):
        find_inputs([str(tmp_path / word)])


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere every name is text")
def test_a_film_whose_name_is_not_text_is_refused_not_fatal(tmp_path: Path) -> None:
    path = tmp_path / "caf\udce9.mp4"
    path.write_bytes(b"a film")
    (found,) = find_inputs([str(tmp_path)])
    assert (found.paths, found.frames) == ((path,), 0)
    with pytest.raises(SourceError, match="its name is not valid text; rename it"):
        VideoSource(path)


def test_names_of_session_folders_are_never_alike() -> None:
    def film(path: str) -> Input:
        return Input(VIDEO, Path(path), (Path(path),))

    inputs = [film("a/clip.mp4"), film("b/Clip.mov"), film("c/clip.avi"), film("d/x: y?.mp4")]
    assert session_names(inputs, ["CLIP-2"]) == ["clip", "Clip-3", "clip-4", "x_ y_"]
