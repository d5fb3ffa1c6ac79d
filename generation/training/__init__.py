"""Trains the pocket model: seeded, checkpointed, resumable, the same on a CPU and on CUDA."""
