"""Bridges to other libraries, each optional and tested against the release in constraints.txt."""
