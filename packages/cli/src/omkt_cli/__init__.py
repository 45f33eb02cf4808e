"""omkt: the command line, and the embedded farm (all services as processes of one machine, on SQLite and a folder)."""
