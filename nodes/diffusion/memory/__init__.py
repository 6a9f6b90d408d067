"""Models that stay in memory between nodes and runs, with what changes them in place."""
