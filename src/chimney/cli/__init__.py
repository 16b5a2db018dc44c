"""The command line. `chimney --help` lists the commands; a role is imported only when it is asked for."""

from chimney.cli.app import main

__all__ = ["main"]
