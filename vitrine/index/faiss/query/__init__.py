"""Answering a query from the segments: filters, candidates, order, facets, pages."""
