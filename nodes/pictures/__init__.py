"""Pictures in the box, drawn by the model in the box: examples for graphs that start from one."""

from pathlib import Path

FOLDER = Path(__file__).parent
