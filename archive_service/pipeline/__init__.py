"""The life of a document. ``ingest`` lists the steps in order."""
