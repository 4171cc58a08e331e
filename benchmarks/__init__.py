"""Programs that measure what README and docs claim; `python -m benchmarks.NAME --help` tells how."""
