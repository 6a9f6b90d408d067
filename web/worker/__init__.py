"""The process that runs graphs for the server: whatever a node does to it, the server and its queue go on."""
