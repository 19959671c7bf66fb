"""Derived files, which let a process start by mapping them: written, loaded, kept fresh."""
