"""Show why a model says what it says, and how far that can be believed; without torch."""
