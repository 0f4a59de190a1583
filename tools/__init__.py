"""Programs for those who maintain Footnote; none of it runs where Footnote does."""
