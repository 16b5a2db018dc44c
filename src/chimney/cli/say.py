"""What the commands say: one clear text, the right exit code, never a traceback."""

import sys
from typing import NoReturn


def say(line: str) -> None:
    """A line on stdout, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def fail(message: str, code: int = 2) -> NoReturn:
    """Ends the command: 2 for what the caller can mend, 1 for what went wrong."""
    sys.stdout.flush()
    sys.stderr.write(f"chimney: {message.rstrip()}\n")
    sys.stderr.flush()
    raise SystemExit(code)
