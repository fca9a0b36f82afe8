"""The `tracker` command: one file a sub-command, each announcing `COMMAND`."""
