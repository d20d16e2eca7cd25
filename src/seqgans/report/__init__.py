"""Figures into a page and into a table: what a run or a comparison looks like."""
