"""A Discord on the loopback interface: a real gateway and HTTP API for the real discord.py client.

It serves the endpoints that the bot uses and nothing else. Where Discord is strict, so is this server:
interaction tokens, permissions, intents, limits, gateway close codes. What a well-behaved bot does not do is
recorded in `log.violations`. The shape of requests is judged by Discord's own OpenAPI document instead: set
FOOTNOTE_TEST_RECORD=FILE, and every request is appended to that file as a line of JSON.

    world, entities        users, servers, channels, messages
    server                 HTTP: routing and authorization
    api                    request bodies, errors, limits on lengths and counts
    messages, interactions, commands      the routes, and what they do
    gateway                the websocket: identify, resume, events
    faults                 planned errors, rate limits, resets, pauses
    recording              what happened, and waiting for it
    renderer               what people see of a text in Markdown
    driver                 what users do and see: `Wire`, for tests
"""
