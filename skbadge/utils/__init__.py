"""Random streams, chunking, ranking, row containers and validation."""
