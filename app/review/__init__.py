"""Look through a recorded session: edits that leave it as it is, statistics, reports; no Qt."""
