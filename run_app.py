"""Start Mien from a checkout: `python run_app.py`, with the arguments of `fer-app`."""

from __future__ import annotations

import sys

from app.main import main

if __name__ == "__main__":
    sys.exit(main())
