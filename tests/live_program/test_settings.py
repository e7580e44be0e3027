from __future__ import annotations

import json
import stat
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.errors import SettingsError
from app.settings import OVERLAYS, Settings, load_settings, save_settings, settings_file

EVERYTHING = Settings(
    source="camera:2",
    model="elsewhere/net.onnx",
    second_model="other/net.onnx",
    finder="yunet",
    yunet_file="yunet.onnx",
    landmarks="dlib",
    overlays=("attention", "landmarks"),
    mirror=False,
    theme="dark",
    window="AdnQywAD",
    splitters={"main": (800, 300), "side": (0, 200, 100)},
    camera_size=(1280, 720),
    camera_fps=29.97,
    smoothing_seconds=0.0,
    recent=("/films/größe.mp4", "/pictures"),
    workspace="review",
    recent_sessions=("/sessions/one",),
    recording_folder="/sessions",
    recording_video="both",
    recording_blur=True,
    consent_text="I agree.",
    attention_view="occlusion",
    results_folder="/results",
    analysis_workers=3,
    streams=("lsl", "osc=127.0.0.1:9000"),
    stream_addresses=("osc=127.0.0.1:9000",),
    triggers=("happiness,70,0.5=marker:1",),
    study_protocol="/studies/smiles.toml",
    base_rates="even,contempt=0",
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIEN_CONFIG_DIR", str(tmp_path / "Mien"))
    return tmp_path / "Mien" / "settings.json"


def store(place: Path, content: bytes | dict[str, Any]) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())


def test_every_field_comes_back(place: Path) -> None:
    save_settings(EVERYTHING)
    assert load_settings() == (EVERYTHING, [])


def test_a_long_text_of_consent_comes_back_whole(place: Path) -> None:
    asked = Settings(consent_text="I agree. " * 10_000)
    save_settings(asked)
    assert load_settings() == (asked, [])


def test_everything_differs_from_the_defaults() -> None:
    # Otherwise the round trip above would prove nothing for that field.
    for name in Settings.__slots__:
        assert getattr(EVERYTHING, name) != getattr(Settings(), name), name


def test_only_differences_are_written(place: Path) -> None:
    save_settings(replace(Settings(), theme="light"))
    assert json.loads(place.read_text(encoding="utf-8")) == {"version": 1, "theme": "light"}


def test_first_start_is_silent_and_writes_nothing(place: Path) -> None:
    assert load_settings() == (Settings(), [])
    assert not place.parent.exists()


def test_the_place_is_the_environments_or_the_systems(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_file() == place
    monkeypatch.delenv("MIEN_CONFIG_DIR")
    assert "Mien" in settings_file().parts
    assert place.parent not in settings_file().parents


@pytest.mark.parametrize(
    ("key", "nonsense"),
    [
        ("source", 3),
        ("source", "  "),
        ("model", None),
        ("finder", "eagle"),
        ("yunet_file", ["a"]),
        ("landmarks", "68"),
        ("overlays", "boxes"),
        ("overlays", ["boxes", "halo"]),
        ("overlays", ["boxes", "boxes"]),
        ("overlays", [[]]),
        ("mirror", "yes"),
        ("mirror", 1),
        ("theme", {}),
        ("window", 17),
        ("splitters", [1, 2]),
        ("splitters", {"main": [1.5]}),
        ("splitters", {"main": 5}),
        ("camera_size", [640]),
        ("camera_size", [640, -480]),
        ("camera_size", "640x480"),
        ("camera_fps", True),
        ("camera_fps", 0),
        ("smoothing_seconds", float("nan")),
        ("smoothing_seconds", 10**400),
        ("smoothing_seconds", -1),
        ("recent", ["a", 5]),
        ("recent", {"a": 1}),
        ("triggers", "face,,0=marker:1"),
        ("triggers", ["face,,0=marker:1", 2]),
        ("consent_text", ["I agree."]),
        ("base_rates", "joy=2"),
        ("base_rates", 1),
    ],
)
def test_nonsense_costs_only_its_own_key(place: Path, key: str, nonsense: Any) -> None:
    other = "theme" if key != "theme" else "finder"
    kept = getattr(EVERYTHING, other)
    store(place, {"version": 1, key: nonsense, other: kept})
    settings, warnings = load_settings()
    assert settings == replace(Settings(), **{other: kept})
    assert len(warnings) == 1
    assert f'"{key}"' in warnings[0]
    assert "default" in warnings[0]


def test_unknown_keys_are_left_out_with_a_warning_each(place: Path) -> None:
    store(place, {"version": 1, "colour": "blue", "mirror": False, "\ud800": 1})
    settings, warnings = load_settings()
    assert settings == replace(Settings(), mirror=False)
    assert len(warnings) == 2
    assert '"colour"' in warnings[0]
    warnings[1].encode("utf-8")


def test_a_long_wrong_value_keeps_the_sentence_short(place: Path) -> None:
    store(place, {"version": 1, "theme": "x" * 5000})
    _, (warning,) = load_settings()
    assert len(warning) < 160


@pytest.mark.parametrize("version", [None, "1", 0, True, [1]])
def test_without_a_version_the_rest_is_read(place: Path, version: Any) -> None:
    store(place, {"version": version, "theme": "dark"})
    settings, warnings = load_settings()
    assert settings.theme == "dark"
    assert "version" in warnings[0]


def test_a_newer_version_is_read_as_far_as_known(place: Path) -> None:
    store(place, {"version": 9, "theme": "dark", "holograms": True})
    settings, warnings = load_settings()
    assert settings.theme == "dark"
    assert "newer" in warnings[0]
    assert '"holograms"' in warnings[1]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe\x00", b"[1, 2]", b'"text"', b"null", b"[" * 200_000],
    ids=["empty", "cut off", "not text", "list", "text", "null", "deep"],
)
def test_what_is_no_settings_file_is_kept_aside(place: Path, content: bytes) -> None:
    store(place, content)
    settings, (warning,) = load_settings()
    assert settings == Settings()
    broken = place.with_name("settings.json.broken")
    assert str(broken) in warning
    assert broken.read_bytes() == content
    assert not place.exists()
    assert load_settings() == (Settings(), [])


def test_a_place_that_cannot_be_read_gives_defaults(place: Path) -> None:
    place.mkdir(parents=True)
    settings, (warning,) = load_settings()
    assert settings == Settings()
    assert "cannot be read" in warning


def test_a_place_that_cannot_be_written_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "settings.json"
    blocked.mkdir()
    with pytest.raises(SettingsError, match="cannot be saved"):
        save_settings(EVERYTHING, blocked)
    assert list(tmp_path.iterdir()) == [blocked]
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(SettingsError):
        save_settings(EVERYTHING, file / "settings.json")


@pytest.mark.skipif(sys.platform == "win32", reason="replaces read-only files differently")
def test_saving_replaces_the_file_in_one_step(place: Path) -> None:
    save_settings(Settings())
    before = place.stat().st_ino
    place.chmod(stat.S_IRUSR)  # writing into the old file would fail or keep its inode
    save_settings(EVERYTHING)
    assert place.stat().st_ino != before
    assert [entry.name for entry in place.parent.iterdir()] == ["settings.json"]


def test_recent_files_are_newest_first_without_twins() -> None:
    settings = Settings()
    for number in range(12):
        settings = settings.with_recent(f"{number}.mp4")
    settings = settings.with_recent("6.mp4")
    expected = ("6.mp4", "11.mp4", "10.mp4", "9.mp4", "8.mp4", "7.mp4", "5.mp4", "4.mp4")
    assert settings.recent == expected


def test_the_default_overlays_exist() -> None:
    assert set(Settings().overlays) <= set(OVERLAYS)
