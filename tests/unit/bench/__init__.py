"""The judges of the benchmarks, judged."""
