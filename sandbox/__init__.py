"""Every outside system, simulated over real HTTP for the demo and the tests."""
