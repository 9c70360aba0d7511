"""A report of runs: one HTML file that opens offline, its figures as files, and a server that shows runs as they go."""

from promptkit.report.page import page, save

__all__ = ["page", "save"]
