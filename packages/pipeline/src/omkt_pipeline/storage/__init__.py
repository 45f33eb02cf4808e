"""The share: one place for every path, publishing by rename, checksums."""
