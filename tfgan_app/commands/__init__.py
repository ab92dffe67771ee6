"""One module per subcommand, each with `run(args) -> int`: parsed flags in, exit code out."""
