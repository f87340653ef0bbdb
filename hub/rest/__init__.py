"""The hub's HTTP routes under ``/api``: each file one noun, endpoints find their hub in the app."""
