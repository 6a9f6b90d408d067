"""What lies on disk, found out about without reading a weight or importing torch."""
