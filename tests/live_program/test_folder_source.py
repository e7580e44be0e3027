from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from app.errors import SourceError
from app.messages import Frame
from app.sources.folder import FolderSource, natural_key

SUFFIXES = ("bmp", "jpeg", "jpg", "png", "tif", "tiff", "webp")


def save(path: Path, level: int = 100) -> None:
    Image.new("RGB", (12, 8), (level, level, level)).save(path)


def show(path: Path, *, paced: bool = False) -> tuple[list[Frame], FolderSource]:
    with FolderSource(path, paced=paced) as source:
        return list(iter(source.read, None)), source


def test_images_come_in_counting_order(tmp_path: Path) -> None:
    names = ["face 10.png", "Face 2.png", "face 1b.png", "face 1.png", "2.png", "b.png"]
    for name in names:
        save(tmp_path / name)
    frames, source = show(tmp_path)
    assert [frame.caption for frame in frames] == [
        "2.png",
        "b.png",
        "face 1.png",
        "face 1b.png",
        "Face 2.png",
        "face 10.png",
    ]
    assert [frame.media_time for frame in frames] == [0, 1, 2, 3, 4, 5]
    assert (source.skipped, source.notice) == (0, "")


def test_names_of_every_shape_can_be_compared() -> None:
    names = ["1", "a1", "1a", "", "a", "1.5", "\u0661", "²", "a1b2", "-1"]
    assert len(sorted(names, key=natural_key)) == len(names)


@pytest.mark.parametrize("suffix", [*SUFFIXES, "JPG"])
def test_every_kind_is_read(tmp_path: Path, suffix: str) -> None:
    save(tmp_path / f"a.{suffix}", 200)
    (frame,), _ = show(tmp_path)
    assert frame.image.shape == (8, 12, 3)
    assert abs(int(frame.image.mean()) - 200) <= 2


def test_other_files_hidden_files_and_subfolders_stay_out(tmp_path: Path) -> None:
    save(tmp_path / "a.png")
    save(tmp_path / ".b.png")
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "folder.png").mkdir()
    save(tmp_path / "folder.png" / "c.png")
    frames, source = show(tmp_path)
    assert [frame.caption for frame in frames] == ["a.png"]
    assert source.skipped == 0


def test_gray_deep_and_transparent_images_become_bgr(tmp_path: Path) -> None:
    deep = np.full((8, 12), 150 * 256, np.uint16)
    cv2.imwrite(str(tmp_path / "deep.png"), deep)
    cv2.imwrite(str(tmp_path / "deep.tif"), deep)
    Image.new("L", (12, 8), 150).save(tmp_path / "gray.png")
    Image.new("RGBA", (12, 8), (150, 150, 150, 255)).save(tmp_path / "clear.png")
    Image.new("P", (12, 8)).save(tmp_path / "palette.png")
    frames, source = show(tmp_path)
    assert source.skipped == 0
    assert len(frames) == 5
    for frame in frames:
        assert frame.image.shape == (8, 12, 3)
        if frame.caption != "palette.png":
            assert (frame.image == 150).all(), frame.caption


def test_colours_keep_their_places(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4), (255, 128, 0)).save(tmp_path / "orange.png")
    (frame,), _ = show(tmp_path)
    assert frame.image[0, 0].tolist() == [0, 128, 255]


def test_photographs_are_turned_upright(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # the camera was held on its side
    Image.new("RGB", (12, 8)).save(tmp_path / "photo.jpg", exif=turned)
    (frame,), _ = show(tmp_path)
    assert frame.image.shape == (12, 8, 3)


def test_one_image_is_a_folder_of_one(tmp_path: Path) -> None:
    save(tmp_path / "größe 笑.png")
    save(tmp_path / "other.png")
    frames, source = show(tmp_path / "größe 笑.png")
    assert [frame.caption for frame in frames] == ["größe 笑.png"]
    assert source.name == "größe 笑.png"


def test_paced_gives_each_image_its_second(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    begun = time.monotonic()
    frames, _ = show(tmp_path, paced=True)
    assert len(frames) == 1
    assert time.monotonic() - begun >= 0.95


def test_a_damaged_image_is_skipped_counted_and_told(tmp_path: Path) -> None:
    for name in ("1.png", "2.png", "4.png"):
        save(tmp_path / name)
    (tmp_path / "3.jpg").write_bytes(b"\xff\xd8\xff\xe0 no picture")
    frames, source = show(tmp_path)
    assert [(frame.index, frame.caption) for frame in frames] == [
        (0, "1.png"),
        (1, "2.png"),
        (2, "4.png"),
    ]
    assert source.skipped == 1
    assert source.notice == '"3.jpg" cannot be read and was skipped.'


def test_several_damaged_images_are_counted(tmp_path: Path) -> None:
    (tmp_path / "1.png").write_bytes(b"")
    save(tmp_path / "2.png")
    (tmp_path / "3.png").write_text("nothing")
    frames, source = show(tmp_path)
    assert len(frames) == 1
    assert source.skipped == 2
    assert "2 of 3 images" in source.notice
    assert '"3.png"' in source.notice


def test_an_image_that_goes_away_meanwhile_is_skipped(tmp_path: Path) -> None:
    save(tmp_path / "1.png")
    save(tmp_path / "2.png")
    with FolderSource(tmp_path, paced=False) as source:
        (tmp_path / "2.png").unlink()
        assert source.read() is not None
        assert source.read() is None
        assert source.skipped == 1


def test_no_image_at_all_is_said(tmp_path: Path) -> None:
    (tmp_path / "film.mp4").write_bytes(b"x")
    with pytest.raises(SourceError, match=r"has no images; put .*png.* files in it") as caught:
        FolderSource(tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("damaged", "sentence"), [(1, "The only image"), (3, "None of the 3 images")]
)
def test_only_damaged_images_are_said(tmp_path: Path, damaged: int, sentence: str) -> None:
    for number in range(damaged):
        (tmp_path / f"{number}.jpg").write_bytes(b"nothing")
    with pytest.raises(SourceError, match=sentence):
        FolderSource(tmp_path)


def test_one_damaged_image_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    with pytest.raises(SourceError, match=r'The image ".*a\.jpg" cannot be read'):
        FolderSource(tmp_path / "a.jpg")
