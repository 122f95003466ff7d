"""Measures the library against what it replaces. `make bench` runs it, `bench/RESULTS.md` is what it found."""
