"""Analytical CRM: from a company's purchase history to what its customers are worth, want and are about to do."""

__version__ = "0.1.0"
