"""The hub's pure core: five verbs, no await, no clock, no socket."""
