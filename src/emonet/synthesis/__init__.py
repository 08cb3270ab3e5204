"""Synthetic data with controlled diversity: `emonet.synthesis.portraits` and `emonet.synthesis.voices`."""
