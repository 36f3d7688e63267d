"""CDNOW: every purchase, 1997-01 to 1998-06, of 23,570 customers who first bought in the first quarter of 1997.

From the file that the package lifetimes ships (its loader does not work with current setuptools and is not used).
A sale of 0.00 with at least one CD is a purchase; a customer's lines of one day are one order.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from crm.config import Settings
from crm.engine import sql_path
from crm.errors import SourceError
from crm.sources.source import Source, SourceTable


def data_file() -> Path:
    """Where the package keeps the full file."""
    spec = find_spec("lifetimes")
    if spec is None or spec.origin is None:
        raise SourceError(
            "The source cdnow reads a file of the package lifetimes.",
            found="the package is not installed",
            do="Run `make run`, which installs it, or choose another [source] kind.",
        )
    return Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"


def open_cdnow(settings: Settings) -> Source:
    """CDNOW's purchases in canonical names; dates carry no time, so the time zone changes nothing."""
    file = data_file()
    query = f"""
        SELECT field[1] AS customer_id, field[1] || '-' || field[2] AS order_id,
            try_strptime(field[2], '%Y%m%d') AS ordered_at, field[4] AS net_amount, field[3] AS quantity,
            'web' AS channel
        FROM (
            SELECT regexp_split_to_array(trim(line), '\\s+') AS field
            FROM read_csv({sql_path(file)}, columns = {{'line': 'VARCHAR'}}, delim = '\\x1f', header = false,
                skip = 1, quote = '', escape = '', auto_detect = false, strict_mode = false)
        )
        WHERE len(field) = 4"""
    return Source("cdnow", {"purchases": SourceTable(query, (file,))})
