"""`python -m emonet.cli` is the same as `emonet`."""

from emonet.cli import main

main()
