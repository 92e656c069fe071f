"""The mapping language: records in, entities out."""
