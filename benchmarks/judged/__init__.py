"""How well queries are answered: judged queries over a real catalogue, per group and per signal.

The queries and their rules are `magento.toml`; the catalogue with its photos is not part of the
project and is named on the command line.
"""
