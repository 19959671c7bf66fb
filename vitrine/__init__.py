"""Vitrine: visual product search as a library."""

from vitrine.telemetry import switch_off

switch_off()
