"""`python -m chimney`: the same as the command `chimney`."""

from chimney.cli import main

main()
