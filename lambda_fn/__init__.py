"""The Control API: an event becomes a judged workflow_dispatch. Standard library only."""
