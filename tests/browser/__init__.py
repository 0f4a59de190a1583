"""The pages in a real browser: `make test-browser`, where Chromium is installed."""
