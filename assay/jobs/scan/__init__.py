"""Many files in, one table out: a row a file, and a scan that can be stopped and continued."""

from assay.jobs.scan.journal import read_journal
from assay.jobs.scan.rows import Row, report_of
from assay.jobs.scan.scanning import Progress, scan
from assay.jobs.scan.table import count_rows, read_row, read_rows

__all__ = ["Progress", "Row", "count_rows", "read_journal", "read_row", "read_rows", "report_of", "scan"]
