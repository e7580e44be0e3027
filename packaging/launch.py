"""Begin the program that this executable is named after."""

from __future__ import annotations

import multiprocessing
import os
import sys
from importlib import import_module
from pathlib import Path

PROGRAMS = {
    "Mien": "app.main:entry",
    "fer-app": "app.main:entry",
    "fer-analyze": "app.cli.analyze:main",
    "fer-explain": "app.cli.explain:main",
    "fer-study": "app.cli.study:main",
}


def main() -> int:
    """Run the program; return its exit status."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # a program on Windows that is a window alone has neither
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    # The processes of an analysis are this executable once more; here they learn what they are for.
    multiprocessing.freeze_support()
    program = PROGRAMS.get(Path(sys.executable).stem, PROGRAMS["Mien"])  # it may be renamed
    module, _, name = program.partition(":")
    return int(getattr(import_module(module), name)())


if __name__ == "__main__":
    sys.exit(main())
