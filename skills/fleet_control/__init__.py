"""What "fleet control" means: who may deploy what, what is there, and how a deploy is asked for."""
