"""Reads the file: credentials and metadata. Never imports another area."""
