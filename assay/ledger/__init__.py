"""The registry of what this installation generated: append-only, chained by hash, in SQLite or PostgreSQL."""

from assay.ledger.chain import Finding, Head
from assay.ledger.entry import Entry, Event, new_image_id
from assay.ledger.ledger import Ledger, location, open_ledger
from assay.ledger.reading import Filter, Mark, Recorded
from assay.ledger.work import Delivery

__all__ = [
    "Delivery",
    "Entry",
    "Event",
    "Filter",
    "Finding",
    "Head",
    "Ledger",
    "Mark",
    "Recorded",
    "location",
    "new_image_id",
    "open_ledger",
]
