"""What a loss of power may cost: the table is on the disk before the stream goes."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.sessions import folder as places
from app.sessions import ledger
from app.sessions import writer as writing
from app.sessions.folder import open_session
from app.sessions.schema import frames_schema
from app.sessions.stream import TableStream
from models.runtime import files

Make = Callable[..., Any]


class Disk:
    """Note in order what is put on the disk for good, renamed and deleted, by name."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[tuple[str, str]] = []
        replace, unlink, sync = Path.replace, Path.unlink, os.fsync

        def noted_replace(path: Path, target: Path) -> Path:
            self.done.append(("rename", target.name))
            return replace(path, target)

        def noted_unlink(path: Path, **how: Any) -> None:
            self.done.append(("delete", path.name))
            unlink(path, **how)

        def noted_sync(number: int) -> None:
            self.done.append(("sync", Path(f"/proc/self/fd/{number}").readlink().name))
            sync(number)

        monkeypatch.setattr(Path, "replace", noted_replace)
        monkeypatch.setattr(Path, "unlink", noted_unlink)
        monkeypatch.setattr(os, "fsync", noted_sync)

    def said_in_order(self, *wanted: tuple[str, str]) -> bool:
        """Say whether these were done in this order, whatever came between."""
        done = iter(self.done)
        return all(each in done for each in wanted)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    if sys.platform != "linux":
        pytest.skip("the name of an open file is asked of /proc")
    return Disk(monkeypatch)


def table_before_stream(folder: str) -> tuple[tuple[str, str], ...]:
    return (
        ("sync", f"{places.TABLE}.partial"), ("rename", places.TABLE), ("sync", folder),
        ("sync", f"{places.INFO}.partial"), ("rename", places.INFO), ("sync", folder),
        ("delete", places.STREAM),
    )  # fmt: skip


def test_a_recording_deletes_its_stream_only_once_the_table_is_on_the_disk(
    make_writer: Make, frame: Make, disk: Disk
) -> None:
    writer = make_writer()
    folder = writer.path.name
    begin = (
        ("sync", f"{places.INFO}.partial"),
        ("sync", folder),
        ("sync", writer.path.parent.name),
    )
    assert disk.said_in_order(*begin), "the names of what grows are on the disk as well"
    writer.add(frame(0))
    writer.mark(1000.0, "1")
    disk.done.clear()
    writer.close()
    assert disk.said_in_order(*table_before_stream(folder))
    for name in (places.MARKERS, places.DROPPED):
        assert disk.said_in_order(("sync", name), ("delete", places.STREAM))


def test_so_does_the_opening_of_one_that_was_cut_short(
    make_writer: Make, frame: Make, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = make_writer()
    writer.add(frame(0))
    with monkeypatch.context() as failing:
        failing.setattr("app.sessions.files.write_parquet", fails)
        writer.close()
    assert (writer.path / places.STREAM).is_file()
    disk.done.clear()
    assert open_session(writer.path).frames.num_rows == 1
    assert disk.said_in_order(*table_before_stream(writer.path.name))


def test_markers_and_the_ledger_are_put_on_the_disk_with_the_rows(
    make_writer: Make, frame: Make, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "_SYNC_SECONDS", 0.0)
    writer = make_writer(flush_seconds=0.01)
    writer.add(frame(0))
    wanted = {("sync", name) for name in (places.STREAM, places.MARKERS, places.DROPPED)}
    while not wanted <= set(disk.done):
        assert not writer.finished


def test_a_table_that_the_disk_does_not_take_for_good_leaves_the_stream(
    make_writer: Make, frame: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    writer = make_writer()
    writer.add(frame(0))
    with monkeypatch.context() as failing:
        failing.setattr(os, "fsync", fails)
        writer.close()
    assert "the disk takes no more (Input/output error)" in writer.error
    assert (writer.path / places.STREAM).is_file()
    assert not (writer.path / places.TABLE).exists()
    assert open_session(writer.path).frames.num_rows == 1


def test_what_is_not_asked_to_last_waits_for_no_disk(tmp_path: Path, disk: Disk) -> None:
    """As the tables of analysed files, of which there may be thousands."""
    with files.written_whole(tmp_path / "a.txt") as partial:
        partial.write_text("a")
    ledger.Ledger(tmp_path / "b.csv", ["b"]).close()
    TableStream(tmp_path / "c.arrows", frames_schema(("a",))).close()
    assert disk.done == [("rename", "a.txt")]


def test_a_network_share_that_syncs_no_folder_is_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def only_files(number: int) -> None:
        if Path(f"/proc/self/fd/{number}").is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        sync(number)

    monkeypatch.setattr(os, "fsync", only_files)
    with files.written_whole(tmp_path / "a.txt", durable=True) as partial:
        partial.write_text("a")
    assert (tmp_path / "a.txt").read_text() == "a"
