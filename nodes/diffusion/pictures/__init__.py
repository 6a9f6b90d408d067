"""Pictures, masks and videos: read, written, changed and drawn."""
