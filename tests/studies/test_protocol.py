"""The file of a study: what it says, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.study.protocol import FILM, PICTURE, SHUFFLED, TEXT, read_protocol
from app.study.soundtrack import MUTED, NO_TRACK, NOT_INSTALLED, PLAYED, UNREADABLE
from app.study.words import silence_words, words_of

PICTURE_LINES = '[[show]]\npicture = "puppy.png"\nseconds = 2\n'


def test_a_protocol_is_read_with_its_files(smiles: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.study.protocol.sound_of", lambda _path: NO_TRACK)
    protocol = read_protocol(smiles)
    assert (protocol.title, protocol.pause, protocol.variables) == ("Smiles", 0.5, ("age",))
    assert protocol.order == SHUFFLED
    assert protocol.question is not None
    assert (protocol.question.steps, protocol.question.high) == (5, "very")
    assert [one.kind for one in protocol.shown] == [TEXT, PICTURE, FILM, PICTURE]
    assert [one.name for one in protocol.shown] == ["", "puppy", "clip", "wasp"]
    assert [one.condition for one in protocol.pictorial] == ["pleasant", "", "unpleasant"]
    assert protocol.shown[2].length == pytest.approx(0.4)
    assert protocol.seconds == pytest.approx(2 + 0.4 + 1.5 + 3 * 0.5)
    assert protocol.shown[1].path == smiles.parent / "puppy.png"
    assert words_of(protocol) == (
        "1 text, 2 pictures, 1 film, each participant in an order of their own; a question after "
        "each; no sound in clip; at least 5 s"
    )
    assert [one.sound for one in protocol.shown] == ["", "", NO_TRACK, ""]
    assert silence_words(protocol, "no device") == "", "there is nothing to be heard"


def test_what_is_not_said_is_usual(write_protocol: Callable[[str], Path]) -> None:
    protocol = read_protocol(write_protocol(PICTURE_LINES))
    assert (protocol.title, protocol.pause, protocol.order) == ("smiles", 1.0, SHUFFLED)
    assert (protocol.question, protocol.variables) == (None, ())


def test_no_pause_is_possible(write_protocol: Callable[[str], Path]) -> None:
    assert read_protocol(write_protocol("pause = 0\n" + PICTURE_LINES)).pause == 0.0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "expected what to show, each under [[show]], found none"),
        ("show = 3", "expected what to show"),
        ("titel = 'x'\n" + PICTURE_LINES, "unknown key 'titel'; did you mean 'title'?"),
        (
            "order = 'random'\n" + PICTURE_LINES,
            "expected order shuffled, blocks, fixed, found",
        ),
        ("pause = -1\n" + PICTURE_LINES, "expected pause of 0 to 3600, found -1"),
        ("pause = inf\n" + PICTURE_LINES, "expected pause of 0 to 3600, found inf"),
        ("pause = true\n" + PICTURE_LINES, "expected pause of 0 to 3600, found True"),
        ("variables = 'age'\n" + PICTURE_LINES, "expected variables to be a list of names"),
        ("variables = ['a', 'a']\n" + PICTURE_LINES, "names that differ, found 'a' twice"),
        ("title = 3\n" + PICTURE_LINES, "expected title to be a text, found 3"),
        ("question = 3\n" + PICTURE_LINES, "expected text, steps, low and high, found 3"),
        ("[question]\n" + PICTURE_LINES, "[question]: expected a text to ask, found none"),
        ("[question]\ntext='x'\nsteps=10\n" + PICTURE_LINES, "steps of 2 to 9, found 10"),
        ("[[show]]\nseconds = 2", "[[show]] 1: expected one of picture, film, text, found none"),
        (
            "[[show]]\ntext='x'\nfilm='y'",
            "expected one of picture, film, text, found film and text",
        ),
        ("[[show]]\npicture = ' '\nseconds = 2", "expected picture to name something"),
        ("[[show]]\npicture = 'puppy.png'", "expected the seconds that the picture stays"),
        (
            "[[show]]\npicture = 'puppy.png'\nseconds = 0",
            "seconds of 0.1 to 3600, found 0",
        ),
        ("[[show]]\npicture = 'none.png'\nseconds = 2", "there is no file"),
        ("[[show]]\npicture = 'smiles.toml'\nseconds = 2", "is not a picture that can be read"),
        ("[[show]]\nfilm = 'smiles.toml'", "[[show]] 1: "),
        (PICTURE_LINES + "sound = false", "sound only with a film, found it with a picture"),
        ("[[show]]\nfilm = 'clip.mp4'\nsound = 1", "expected sound to be true or false, found 1"),
        (PICTURE_LINES * 2, "expected names that differ, found 'puppy' twice"),
        (PICTURE_LINES + f"name = '{'x' * 61}'", "expected names of at most 60 printed letters"),
        ("[[show]]\ntext = 'x'", "expected a picture, a film or a text with a name, found none"),
        ("[[show]\n", "is not TOML"),
    ],
)
def test_a_fault_is_one_sentence(
    text: str, sentence: str, write_protocol: Callable[[str], Path]
) -> None:
    path = write_protocol(text)
    with pytest.raises(SettingsError, match=re.escape(sentence)) as caught:
        read_protocol(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="found nothing to read in"):
        read_protocol(tmp_path / "none.toml")


def test_what_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="is not TOML"):
        read_protocol(tmp_path / "a.toml")


def test_a_film_can_be_muted(
    write_protocol: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.study.protocol.sound_of", lambda _path: PLAYED)
    films = "[[show]]\nfilm = 'clip.mp4'\nsound = {}\nname = '{}'\n"
    text = films.format("false", "one") + films.format("true", "two")
    protocol = read_protocol(write_protocol(text))
    assert [one.sound for one in protocol.shown] == [MUTED, PLAYED]


@pytest.mark.parametrize(
    ("sound", "no_speaker", "said"),
    [
        (PLAYED, "", ""),
        (PLAYED, "no device", "Films are shown without their sound: no device. Then choose the"),
        (NOT_INSTALLED, "", 'run pip install -e ".[sound]" in Mien\'s folder and start Mien again'),
        (UNREADABLE, "", "The sound of a, b, c and 1 more cannot be read; convert to MP4 with AAC"),
    ],
)
def test_it_is_said_what_will_not_be_heard(
    sound: str,
    no_speaker: str,
    said: str,
    write_protocol: Callable[[str], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.study.protocol.sound_of", lambda _path: sound)
    films = [f"[[show]]\nfilm = 'clip.mp4'\nname = '{name}'" for name in "abcd"]
    protocol = read_protocol(write_protocol("\n".join(films)))
    words = silence_words(protocol, no_speaker)
    assert said in words
    assert bool(said) == bool(words)
