"""Makes the environments of the peers: one each, of the exact versions in benchmarks/peers/PEER.txt.

    python -m benchmarks.environments FOLDER

An environment that is of these versions already is left alone; one that is not, or was cut off, is made anew.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.comparison import PEERS

_PINS = Path(__file__).parent / "peers"
_DONE = "made-of.txt"
"""A copy of the versions, written into an environment when everything is installed."""


def make(name: str, folder: Path) -> bool:
    """Make one peer's environment; tell whether it stands."""
    pins = _PINS / f"{name}.txt"
    done = folder / _DONE
    if done.exists() and done.read_bytes() == pins.read_bytes():
        return True
    print(f"{name}: installing into {folder} (minutes)", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    command = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "-r", pins]
    installed = subprocess.run(command, check=False, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    if installed.returncode:
        print(f"{name}: not installed; `make bench` reports it as failed", file=sys.stderr)
        return False
    shutil.copyfile(pins, done)
    return True


def main() -> None:
    """Make what is missing; whatever fails is left to be reported by the benchmark."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder.resolve()
    for name in PEERS:
        make(name, folder / name)


if __name__ == "__main__":
    main()
