"""Forms of files: what the command line and the panel read and write as files."""
