"""Running a study: what is set before it, and what its participant sees."""
