"""The command line. Imports no torch."""
