"""Every kind of rater compared on a labelled set."""
