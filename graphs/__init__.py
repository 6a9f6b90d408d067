"""The graphs that come with Patchbay."""
