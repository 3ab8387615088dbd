"""Specimens: generated invoices that look like real ones, good and bad.

The same arguments give the same bytes. They serve ``make demo``, the benchmark and the tests. All companies
in them are invented.
"""

from archive_service.invoices.specimens.bad import EXPECTED_PROBLEMS, make_bad
from archive_service.invoices.specimens.good import BREAKABLE_RULES, PROFILES, SELLER_COUNTRIES, make_invoice

__all__ = [
    "BREAKABLE_RULES",
    "EXPECTED_PROBLEMS",
    "PROFILES",
    "SELLER_COUNTRIES",
    "make_bad",
    "make_invoice",
]
