"""The files of a training: what is no checkpoint is refused in a sentence, and never run."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from models.runtime.errors import UserError
from models.training import checkpoint
from models.training.checkpoint import environment, load_checkpoint, save_checkpoint

pytestmark = pytest.mark.train


def test_a_checkpoint_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"expected to write .*missing"):
        save_checkpoint(tmp_path / "missing" / "last.pt", {})


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04 cut", bytes(range(256))])
def test_a_file_that_is_no_checkpoint_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"last\.pt: expected a checkpoint of fer-train"):
        load_checkpoint(path)


@pytest.mark.parametrize("values", [[1, 2], {"weights": 1}, {"format": 1}, {"format": 2}])
def test_a_checkpoint_of_another_program_is_named(values: object, tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    torch.save(values, path)
    with pytest.raises(UserError, match=r"in format 1, found another file"):
        load_checkpoint(path)


class Intruder:
    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return (exec, ("raise SystemExit('code from a checkpoint was run')",))


def test_code_hidden_in_a_checkpoint_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "last.pt"
    torch.save({"format": 1, "epoch": Intruder()}, path)
    with pytest.raises(UserError, match="expected a checkpoint of fer-train"):
        load_checkpoint(path)


def test_the_commit_of_another_repository_is_not_this_codes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "site-packages" / "models" / "checkpoint.py"
    copy.parent.mkdir(parents=True)
    copy.write_text("installed")

    def git(*arguments: str) -> None:
        named = ["-c", "user.name=n", "-c", "user.email=e@x"]
        subprocess.run(
            ["git", "-C", str(tmp_path), *named, *arguments], check=True, capture_output=True
        )

    git("init")
    git("commit", "--allow-empty", "--message", "theirs")
    monkeypatch.setattr(checkpoint, "__file__", str(copy))
    assert environment()["commit"] == "unknown"
    git("add", ".")
    git("commit", "--message", "ours")
    assert len(environment()["commit"]) >= 7
    assert environment()["commit"] != "unknown"
