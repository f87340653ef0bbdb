"""Exports: sessions as CSV, as JSON, and as a report that is one file. Rendering is pure."""
