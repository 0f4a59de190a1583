"""`footnote web`: pages in the browser, and an HTTP API for programs.

`server` puts the application together; each other module has the routes of one page, in `routes`. `pages`
renders templates, `responses` has headers and errors, `security` decides who may do what. From outside, use
`server.run`, and `pages` for what is served beside the pages.
"""

__all__ = ["pages", "server"]
