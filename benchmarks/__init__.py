"""The benchmarks: what the README claims, measured anew. ``uv run python -m benchmarks`` prints one table."""
