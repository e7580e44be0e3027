"""What every command has in common."""

from __future__ import annotations

import sys
from collections.abc import Callable

from models.runtime.errors import UserError, file_sentence

_EXTRA = {"torch", "onnx", "onnxscript", "pyarrow", "tqdm", "matplotlib", "tensorboard"}


def run(command: Callable[[], int | None]) -> int:
    """Run a command; print a user error as one line and return the exit status."""
    try:
        return command() or 0
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name not in _EXTRA:
            raise
        print(
            f"error: this command needs the training extra, and {error.name} is not installed: "
            "run pip install -e '.[train]' in the folder of Mien's code",
            file=sys.stderr,
        )
        return 2
    except OSError as error:  # a full disk, a folder that may not be written to
        print(f"error: {file_sentence(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
