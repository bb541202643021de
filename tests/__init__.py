"""Tests of all packages; `tests.support` has the helpers that they share."""
