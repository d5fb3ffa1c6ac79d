"""One command, one file: what can be said of it, and what it does. They print; the command line sets exit codes."""
