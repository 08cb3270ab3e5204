"""Voice acting: balanced scripts, generators of speech, finished and checked clips, and shards of them.

Layout and names follow LAION's Got Talent (arXiv 2506.09827): eleven voices, 40 emotions, four languages, accents and
acting challenges. How to use it: docs/voice-acting.md.
"""
