"""Analyse files from end to end: what is found in them becomes session folders."""
