"""Arrays to statistics: correlation, agreement, errors, presence, resampling and tests. Only numpy is needed."""
