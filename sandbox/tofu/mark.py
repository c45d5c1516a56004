"""The tag of what an engine made; real OpenTofu has that from its state."""

KEY, VALUE = "made-by", "sandbox.tofu"
