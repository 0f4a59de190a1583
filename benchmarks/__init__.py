"""What Footnote's speed, memory and reliability are measured with; `make bench soak crashes` runs it."""
