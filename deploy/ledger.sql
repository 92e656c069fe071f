-- The ledger of refsync has a database of its own, beside Prefect's.
CREATE DATABASE ledger;
