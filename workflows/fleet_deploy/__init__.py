"""The jobs of a run of the workflow `fleet-deploy`: plan, one host after the other, finish."""
