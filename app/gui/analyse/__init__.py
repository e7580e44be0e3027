"""The parts of the analyse workspace."""
