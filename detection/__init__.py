"""Learned detectors: was a picture made by a model?"""
