"""What a session is: deltas, state, the fold, the codec and prices. Pure: no I/O, no clock."""
