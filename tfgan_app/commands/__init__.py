"""Commands: one module each, with `run(args) -> int` from parsed flags to an exit code."""
