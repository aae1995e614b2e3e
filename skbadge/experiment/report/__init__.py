"""Reports on experiments: tables and pictures."""
