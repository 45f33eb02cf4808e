"""The queue: rows in the database, moved by guarded updates. See docs/architecture.md, "The queue"."""
