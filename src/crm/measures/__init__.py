"""How good was an expectation? Measures of order, level and error, the same for every analysis."""
