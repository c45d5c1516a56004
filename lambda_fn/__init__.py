"""The Control API: an HTTP event becomes a judged workflow_dispatch. Standard library only."""
