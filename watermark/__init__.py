"""Marks noise or pixels, and reads the marks. Never imports another area."""
