"""What a daemon does not need it does not load: memory is paid for by every process on every host."""

import subprocess
import sys


def test_the_courier_carries_no_web_server() -> None:
    look = "import sys, omkt_api.courier; print({'fastapi', 'starlette', 'alembic'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
