"""The Canopsis entity referential: entities in, through plan, guard, load, verify and ledger."""
