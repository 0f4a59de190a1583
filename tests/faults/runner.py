"""Runs the index's commands in processes of their own, each with its fault, a tenth of a second each.

One process has everything imported and the encoder open; it forks one for each run. The encoder computes on
one thread and FAISS on one, so a fork has all that it needs.

    python -m tests.faults.runner GRAPH         reads a line of JSON for each run, and answers with one
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any, Self

from index.encoding.encoder import Encoder
from index.encoding.models import find_model
from index.encoding.reference import build_encoder
from index.errors import FootnoteError
from index.settings import IndexSettings
from index.storage import lock as locking
from index.storage import writer
from tests.faults.failpoints import Failpoint, Fault, Operation
from tests.faults.scenes import Command, act

__all__ = ["Ended", "Runner", "running"]

_ROOT = Path(__file__).parents[2]
_FAULT_OF_OURS = 70


@dataclass(frozen=True, slots=True)
class Ended:
    """How a run ended: its exit status, negative for a signal; what it said; and what it had done.

    `lost_when_replaced` is what a power cut would have cost when the pointer was replaced, `lost` at the end.
    """

    status: int
    message: str = ""
    operations: tuple[Operation, ...] = ()
    lost_when_replaced: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    seconds: float = field(default=0.0, compare=False)

    @property
    def killed(self) -> bool:
        """Whether it was ended by SIGKILL."""
        return self.status == -signal.SIGKILL


class Runner:
    """The process that forks, and what it is told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(
        self,
        settings: IndexSettings,
        command: Command = ("build", ""),
        fault: Fault | None = None,
        kill_after: float | None = None,
        clock: float | None = None,
    ) -> Ended:
        """Run a command in a process of its own; kill it after some seconds, set its clock, if asked to."""
        told = {
            "command": command,
            "settings": settings.model_dump(mode="json", exclude_unset=True),
            "fault": asdict(fault) if fault else None,
            "kill_after": kill_after,
            "clock": clock,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()
        fields: dict[str, Any] = json.loads(self._process.stdout.readline())
        return Ended(
            status=fields["status"],
            message=fields.get("message", ""),
            operations=tuple(Operation(*one) for one in fields.get("operations", ())),
            lost_when_replaced=tuple(fields.get("lost_when_replaced", ())),
            lost=tuple(fields.get("lost", ())),
            seconds=fields["seconds"],
        )


@contextmanager
def running(graph: Path) -> Iterator[Runner]:
    """Start the process that forks, with the encoder whose graph is in an index folder."""
    arguments = [sys.executable, "-m", "tests.faults.runner", str(graph)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        arguments, cwd=_ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Runner(process)
        finally:
            process.kill()


def main() -> None:
    """Fork for each line that is read."""
    encoder = build_encoder(Path(sys.argv[1]), find_model("all-MiniLM-L6-v2"))
    for line in sys.stdin:
        told = json.loads(line)
        out, into = os.pipe()
        begun = time.monotonic()
        child = os.fork()
        if not child:
            os.close(out)
            _act(told, encoder, into)
        os.close(into)
        alarm = _alarm(child, told["kill_after"])
        with open(out, "rb") as said:  # noqa: PTH123 - a descriptor
            data = said.read()
        _, status = os.waitpid(child, 0)
        alarm.cancel()
        fields = json.loads(data) if data else {}
        fields |= {"status": os.waitstatus_to_exitcode(status), "seconds": time.monotonic() - begun}
        print(json.dumps(fields), flush=True)  # noqa: T201


def _alarm(child: int, seconds: float | None) -> threading.Timer:
    alarm = threading.Timer(seconds or 0.0, os.kill, (child, signal.SIGKILL))
    if seconds is not None:
        alarm.start()
    return alarm


def _act(told: dict[str, Any], encoder: Encoder, into: int) -> None:
    """Do what was asked for, say how it went, and end."""
    settings = IndexSettings.load(**told["settings"])
    point = Failpoint(settings.index, Fault(**told["fault"]) if told["fault"] else None)
    if told["clock"] is not None:
        _set_clock(told["clock"])
    status, message = 0, ""
    point.install()
    try:
        message = act(tuple(told["command"]), settings, encoder)
    except FootnoteError as error:
        status, message = error.exit_status, str(error)
    except BaseException:  # noqa: BLE001 - whatever it is, the one who asked is told
        status, message = _FAULT_OF_OURS, traceback.format_exc()
    finally:
        point.remove()
    fields = {
        "message": message,
        "operations": [(one.name, one.place) for one in point.operations],
        "lost_when_replaced": point.lost_when_replaced,
        "lost": point.disk.lost(),
    }
    with open(into, "w", encoding="utf-8") as said:
        json.dump(fields, said)
    os._exit(status)


def _set_clock(seconds: float) -> None:
    """Have this process believe that it is another time."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls.fromtimestamp(seconds, tz)

    for module in (locking, writer):
        vars(module)["datetime"] = Clock
    time.time = lambda: seconds


if __name__ == "__main__":
    main()
