"""A report of runs: one HTML file that opens offline, its figures as SVG and PNG, and a server that shows it as runs go."""

from promptkit.report.page import page

__all__ = ["page"]
