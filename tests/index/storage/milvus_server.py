"""A Milvus to test with."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Server"]


@dataclass
class Server:
    """A `milvus-lite server` on loopback, which may be killed and started again."""

    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def store(self) -> str:
        return f"milvus+http://127.0.0.1:{self.port}/default"

    def start(self) -> None:
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as probe:
                self.port = probe.getsockname()[1]
        program = Path(sys.executable).with_name("milvus-lite")
        options = ["--host", "127.0.0.1", "--port", str(self.port), "--data-dir", str(self.home / "data")]
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen([program, "server", *options], stdout=log, stderr=log)
        until = time.monotonic() + 60
        while time.monotonic() < until and self.process.poll() is None:
            with socket.socket() as connection:
                if connection.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise AssertionError((self.home / "log").read_text("utf-8", "replace")[-2_000:])

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
