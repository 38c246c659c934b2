"""Runs the command line as `python -m gumbel4j`."""

import sys

from gumbel4j.cli import main

if __name__ == "__main__":
    sys.exit(main())
