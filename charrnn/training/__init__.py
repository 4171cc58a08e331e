"""Makes a model better, step by step, and keeps what it learned; prints nothing."""
