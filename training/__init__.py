"""Trains the detectors that ship with Guard; not part of what is installed."""
