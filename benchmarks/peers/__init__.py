"""What a user would pick instead of Footnote: one module a library, each run in an environment of its own."""
