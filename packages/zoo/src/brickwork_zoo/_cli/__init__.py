"""The command line of the zoo."""
