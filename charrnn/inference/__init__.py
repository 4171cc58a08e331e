"""A trained model on NumPy: step, draw, generate, score. Never imports torch."""
