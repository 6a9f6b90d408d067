"""What is shipped, file by file: nothing is forgotten and nothing slips in."""

import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
SNAPSHOT = Path(__file__).parent / "wheel.txt"


def test_the_wheel_holds_exactly_the_listed_files(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = sorted(name for name in archive.namelist() if ".dist-info/" not in name)
    assert "\n".join(names) + "\n" == SNAPSHOT.read_text(), "if it is meant so, write the new list to tests/wheel.txt"
