"""What a GitHub Actions run does; the YAML only says when, and with what rights."""
