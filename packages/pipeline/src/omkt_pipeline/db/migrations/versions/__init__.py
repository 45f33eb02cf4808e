"""The migrations, oldest first."""

from typing import Any

#: Keys and tokens differ in case: they are compared byte by byte, as SQLite does.
MYSQL: dict[str, Any] = {"mysql_engine": "InnoDB", "mysql_charset": "utf8mb4", "mysql_collate": "utf8mb4_bin"}
