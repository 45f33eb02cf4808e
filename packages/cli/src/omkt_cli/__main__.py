"""`python -m omkt_cli` is `omkt`."""

from omkt_cli.main import app

if __name__ == "__main__":
    app()
