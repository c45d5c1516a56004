"""What is wrong with a workflow file, or with a run of it."""


class WorkflowError(Exception):
    """GitHub, or this stand-in, does not know it; the message names it."""
