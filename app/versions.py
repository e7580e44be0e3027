"""Which releases are installed."""

from __future__ import annotations

from importlib import metadata


def version_of(package: str) -> str | None:
    """Return the installed version of a package, None where it is run from its source alone."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
