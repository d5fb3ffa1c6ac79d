"""Makes images that carry their own proof. Never imports another area."""
