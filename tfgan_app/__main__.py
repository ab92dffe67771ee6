"""Runs the command line as `python -m tfgan_app`."""

from tfgan_app.cli import main

if __name__ == "__main__":
    main()
