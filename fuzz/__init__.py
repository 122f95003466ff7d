"""Fuzzing, guided by coverage."""
