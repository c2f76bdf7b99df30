"""Speed measurements of the fast engine: beside the machine's own limit, beside a copy, beside other libraries."""
