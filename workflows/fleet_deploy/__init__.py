"""What a run of the workflow `fleet-deploy` does: plan, one host after the other, finish."""
