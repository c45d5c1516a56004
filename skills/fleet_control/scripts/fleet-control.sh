#!/usr/bin/env bash
# Fleet control for the agent of this host:
#   fleet-control.sh <deploy|status|wait|run|runs|registry> [target] [image_or_commit] [--json]
# What each does, and the exit codes: fleet-control.sh --help, or SKILL.md.
set -euo pipefail

# Who speaks, to whom and by which keys is what lies on this host (in a rehearsal, below
# FLEET_CONTROL_ROOT); never what somebody exported.
unset FLEET_CONTROL_INSTANCE FLEET_CONTROL_TOKEN FLEET_CONTROL_API_URL FLEET_CONTROL_REGION
unset FLEET_CONTROL_AWS_ACCESS_KEY_ID FLEET_CONTROL_AWS_SECRET_ACCESS_KEY

if command -v fleet-control > /dev/null; then
  exec fleet-control "$@"
fi

# In a checkout the command lies one folder up and is installed nowhere.
room=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [ -f "$room/cli.py" ]; then
  PYTHONPATH=$(dirname "$room")${PYTHONPATH:+:$PYTHONPATH} exec python3 -m fleet_control.cli "$@"
fi
echo "fleet-control is not installed on this host: is it built from this repository?" >&2
exit 4
