"""The embedded farm: every service as a process of this machine, on SQLite and a folder."""
