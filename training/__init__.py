"""Training of the reader that ships with Footnote: its data, its network and its confidence."""
