"""Hub workers: fold deltas into latest-wins session state and fan it out over WebSocket."""
