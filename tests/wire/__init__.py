"""A loopback Discord: enough of the documented HTTP API and gateway for a real client, and as strict.

`loopback.LoopbackDiscord` is the server, and with `people` and `using` what a test does with it. `world`,
`places` and `permissions` hold who is where and may do what; `limits`, `components`, `forms`, `schema` and
`answers` what Discord refuses; `channels`, `commands`, `interactions` and `gateway` answer; `trouble` is
what goes wrong on Discord's side. `bare` and `sample_bot` are the clients of its own tests.
"""
