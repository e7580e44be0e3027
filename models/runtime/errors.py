"""The one error that users see."""

from __future__ import annotations


class UserError(Exception):
    """Say in one sentence what was expected, what was found and what to do.

    Every subclass is shown as it is: on the command line after `error:` with exit status 2,
    in the window as a notification. Anything else that is raised is a defect.
    """
