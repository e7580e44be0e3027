"""Results for other programs, while they happen; each stream is switched on by itself."""
