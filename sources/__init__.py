"""The systems refsync reads: each source turns a dataset into pages of records."""
