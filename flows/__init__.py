"""Jobs and their stages, run from a prompt or as Prefect flows."""
