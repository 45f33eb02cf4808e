"""Engine, tables and migrations. Rows never leave this folder and queue/."""
