"""What can go wrong in an evaluation, beside what can go wrong in the index and in a fit.

FootnoteError (index.errors)
├── QuestionSetError      65   correct the named lines; nothing was asked
├── RunError              65   compare with a file that `footnote eval --json` wrote
└── MissingError          69   (index.errors) a set, or matplotlib for a report, is not there
"""

from __future__ import annotations

from collections.abc import Sequence

from index.errors import FootnoteError

__all__ = ["QuestionSetError", "RunError"]

_SHOWN = 20


class QuestionSetError(FootnoteError):
    """One or more question sets cannot be asked; `problems` holds a line each: file, line and reason."""

    exit_status = 65

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        shown = [f"  {problem}" for problem in self.problems[:_SHOWN]]
        if len(self.problems) > _SHOWN:
            shown.append(f"  and {len(self.problems) - _SHOWN} more")
        head = "1 problem" if len(self.problems) == 1 else f"{len(self.problems)} problems"
        super().__init__("\n".join([f"{head} in the question sets; nothing was asked:", *shown]))


class RunError(FootnoteError):
    """A file is not a run that `footnote eval --json` printed."""

    exit_status = 65
