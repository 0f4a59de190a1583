"""How long encoding a question takes: the encoder alone, as the running service asks it.

    python -m benchmarks.encoding INDEX QUESTIONS

QUESTIONS are JSON Lines with a `question`. Prints a JSON object with the median, in milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

from benchmarks.processes import quantile
from bot.service.service import Service
from bot.settings import BotSettings

__all__ = ["measure"]


async def measure(index: Path, questions: list[str]) -> list[float]:
    """Return the milliseconds that each question took."""
    service = Service(BotSettings.load(index=index))
    await service.start()
    took = []
    for question in questions:
        begun = time.perf_counter()
        await service.vector(question)
        took.append(1000 * (time.perf_counter() - begun))
    await service.close()
    return took


if __name__ == "__main__":
    lines = Path(sys.argv[2]).read_text("utf-8").splitlines()
    milliseconds = asyncio.run(measure(Path(sys.argv[1]), [json.loads(line)["question"] for line in lines]))
    print(json.dumps({"p50": quantile(milliseconds, 0.5)}))
