"""Tests of what the benchmarks measure with: their tasks, not their figures."""
