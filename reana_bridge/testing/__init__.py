"""Fakes of the forges and of REANA: real HTTP servers with state, for our tests and for those of others."""
