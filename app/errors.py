"""What can go wrong for a user of the app.

`UserError` has four branches here: `SourceError` (a source cannot be opened or read) with
`CameraLost` below it (a camera stopped; opening it again may work), `FinderError` (a face finder or
its files are missing or damaged), `SettingsError` (a value given is unusable) and `SessionError` (a
recording cannot be made or read).
"""

from __future__ import annotations

from models.runtime.errors import UserError

__all__ = ["CameraLost", "FinderError", "SessionError", "SettingsError", "SourceError", "UserError"]


class SourceError(UserError):
    """Report a source that cannot be opened or read."""


class CameraLost(SourceError):  # noqa: N818 (an event that passes, more than a mistake)
    """Report a camera that stopped delivering frames."""


class FinderError(UserError):
    """Report a face finder or landmark file that is missing or damaged."""


class SettingsError(UserError):
    """Report an unusable value."""


class SessionError(UserError):
    """Report a recording that cannot be made, continued or read."""
