"""The claims ledger: what the literature claims, checked on the entries at hand."""
