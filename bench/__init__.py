"""Benchmarks of the library and its alternatives. `make bench` runs them and writes `bench/RESULTS.md`."""
