"""``python -m alos2``: the ``alos2`` command."""

from alos2.cli import main

if __name__ == "__main__":
    main()
