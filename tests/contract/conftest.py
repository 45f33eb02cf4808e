"""The databases of the contract suite."""

from tests.servers.fixtures import account, database, leave_out_what_needs_a_server, on_each_server, sqlite

__all__ = ["account", "database", "pytest_collection_modifyitems", "pytest_generate_tests", "sqlite"]
pytest_generate_tests = on_each_server
pytest_collection_modifyitems = leave_out_what_needs_a_server
