"""Runs for other programs: tables (CSV, Parquet, pandas) and logs that Inspect's viewer opens."""

from promptkit.evaluation.exporting.inspect_log import inspect_log, write_inspect_log
from promptkit.evaluation.exporting.tables import rows, to_pandas, write_table

__all__ = ["inspect_log", "rows", "to_pandas", "write_inspect_log", "write_table"]
