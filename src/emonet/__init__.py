"""EmoNet."""
