"""The server: runs that cannot be lost, over HTTP."""
