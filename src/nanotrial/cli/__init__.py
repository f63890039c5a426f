"""The command line: one small module per command; everything heavy loads inside the command that needs it."""
