"""Makes the environments of the peers: one each, of the exact versions in benchmarks/peers/PEER.txt.

    python -m benchmarks.environments FOLDER

An environment that is of these versions already is left alone; one that is not, or was cut off, is made anew.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.comparison import PEERS

_PINS = Path(__file__).parent / "peers"
_DONE = "made-of.txt"
"""A copy of the versions, written into an environment when everything is installed."""


def make(name: str, folder: Path) -> None:
    """Make one peer's environment, unless it stands."""
    pins = _PINS / f"{name}.txt"
    done = folder / _DONE
    if done.exists() and done.read_bytes() == pins.read_bytes():
        return
    print(f"{name}: installing into {folder} (minutes)", file=sys.stderr)
    install = "-m pip --disable-pip-version-check install --quiet -r".split()
    try:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([str(folder / "bin" / "python"), *install, str(pins)], check=True)
    except subprocess.CalledProcessError as error:
        print(f"{name}: not installed, which `make bench` will report: {error}", file=sys.stderr)
        return
    shutil.copyfile(pins, done)


def main() -> None:
    """Make what is missing; whatever fails is left to be reported by the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    for name in PEERS:
        make(name, folder / name)


if __name__ == "__main__":
    main()
