"""Analyses: one package or module per question. They are siblings: none imports another, none draws, none writes."""
