"""A loopback Discord: enough of the documented HTTP API and gateway for a real client, and as strict.

`loopback.LoopbackDiscord` is the server and what a test does with it; `world` holds the people and
places; `limits` and `schema` hold what Discord refuses; `channels`, `interactions` and `gateway` answer.
"""
