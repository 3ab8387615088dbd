"""The invoice archive: from an invoice received over HTTP to evidence that verifies without us."""
