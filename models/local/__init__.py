"""Models hosted in this process from checkpoints in the hub's format (extra `[local]`)."""
