"""Speed against the reference implementation and the hardware's limits, and other measurements behind the documents.

    python -m benchmarks.voice --json voice.json

Run from the repository's root; `make bench` runs all that docs/performance.md shows. With `--quick` networks are tiny:
that tells whether a benchmark runs, not how fast anything is.
"""
