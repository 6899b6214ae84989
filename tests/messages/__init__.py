"""Tests of the texts for people."""
