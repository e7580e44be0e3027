"""What may import what, tried in a fresh interpreter."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import app
import models
import models.runtime
import weights

EXTRA = ("torch", "onnx", "onnxscript", "pyarrow", "tqdm")
RUNTIME = [
    f"models.runtime.{entry.name}" for entry in pkgutil.iter_modules(models.runtime.__path__)
]


def run_without(missing: tuple[str, ...], code: str) -> subprocess.CompletedProcess[str]:
    """Run code in an interpreter that cannot import some packages."""
    blocked = f"import sys\nfor name in {missing!r}:\n    sys.modules[name] = None\n"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", blocked + code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("name", ["app.main", *RUNTIME])
def test_it_imports_without_the_training_extra(name: str) -> None:
    done = run_without(EXTRA, f"import {name}")
    assert done.returncode == 0, done.stderr


def test_the_runtime_needs_neither_qt_nor_dlib() -> None:
    imports = "; ".join(f"import {name}" for name in RUNTIME)
    done = run_without((*EXTRA, "PySide6", "dlib"), imports)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("train", ["--list"]),
        ("train", ["mini_xception", "--data", "fer2013.csv", "--out", "out"]),
        ("export_onnx", ["best.pt"]),
    ],
)
def test_a_training_command_says_that_the_extra_is_missing(
    command: str, arguments: list[str]
) -> None:
    code = f"from models.cli.{command} import main\nsys.exit(main({arguments!r}))"
    done = run_without(EXTRA, code)
    assert done.returncode == 2
    assert done.stderr.startswith("error: this command needs the training extra, and ")
    assert done.stderr.count("\n") == 1
    assert "[train]" in done.stderr


def test_a_missing_module_that_is_no_part_of_the_extra_is_a_defect() -> None:
    code = "from models.cli.shell import run\nrun(lambda: __import__('no_such_module'))"
    done = run_without((), code)
    assert done.returncode == 1
    assert "ModuleNotFoundError" in done.stderr


def test_a_file_that_may_not_be_read_is_a_sentence() -> None:
    code = (
        "from models.cli.shell import run\n"
        "def fail(): raise PermissionError(13, 'Permission denied', 'runs/log.csv')\n"
        "sys.exit(run(fail))"
    )
    done = run_without((), code)
    assert done.returncode == 2
    assert done.stderr.startswith("error: expected to read and write files, found: [Errno 13]")
    assert "runs/log.csv" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a closed pipe is another error there")
@pytest.mark.parametrize(("flush", "status"), [(False, 3), (True, 141)])
def test_a_reader_that_leaves_is_no_error(flush: bool, status: int) -> None:
    code = (
        "import os\n"
        "from models.cli.shell import run\n"
        "reader, writer = os.pipe()\n"
        "os.close(reader)\n"
        "sys.stdout = open(writer, 'w')\n"  # with a buffer, whatever the environment says
        "def tell():\n"
        f"    print('done', flush={flush})\n"
        "    return 3\n"
        "status = run(tell)\n"
        "sys.stdout.close()\n"
        "sys.exit(status)"
    )
    done = run_without((), code)
    assert (done.returncode, done.stderr) == (status, "")


@pytest.mark.parametrize(
    "error",
    [
        "MemoryError()",
        "type('OutOfMemoryError', (RuntimeError,), {})('CUDA out of memory.\\nand more')",
        "RuntimeError('DefaultCPUAllocator: can\\'t allocate memory')",
    ],
)
def test_memory_that_is_short_is_a_sentence(error: str) -> None:
    code = f"from models.cli.shell import run\ndef fail(): raise {error}\nsys.exit(run(fail))"
    done = run_without((), code)
    assert done.returncode == 2
    assert done.stderr.startswith("error: expected enough memory, found: ")
    assert done.stderr.count("\n") == 1
    other = run_without((), code.replace(error, "RuntimeError('a defect')"))
    assert "Traceback" in other.stderr


def test_the_three_packages_lie_side_by_side() -> None:
    parents = {Path(str(part.__file__)).parent.parent for part in (app, models, weights)}
    assert len(parents) == 1
