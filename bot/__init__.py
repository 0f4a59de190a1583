"""Questions in chat to answers. Imports `index`; the index never imports `bot`."""

__all__: list[str] = []
