"""The review workspace: look through a session, mark it up, count it and report it."""
