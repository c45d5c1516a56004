"""The bot: hears and speaks, decides nothing."""

# What an index knows this by; `clawbot` there is a stranger's program.
DISTRIBUTION = "clawbot-fleet"
