"""A question set to measures: what the bot answers rightly, what it declines, and what that is worth.

`sets` reads articles and `questions`; `running` asks them of a real index (the only use of search and of
answers) and makes `records`, which are all that the rest sees. `judging` says what is right, `tables` makes
columns of it, and `measures`, `curves` and `intervals` figures. `fitting` fits a confidence to records.
`session` puts it together to a run; `runs`, `comparing`, `failures`, `showing`, `plots` and `report` are
what comes out of one, and `command` is `footnote eval`.
"""

__all__: list[str] = []
