# An operator's explicit refresh: the newest bundle, in use. Type it as root.
set -euo pipefail

/run/current-system/sw/bin/clawdinator-boot secrets --refresh
# agenix decrypts what lies there when a system is activated; this one is, again.
ended=0
/run/current-system/bin/switch-to-configuration test || ended=$?
# At 4 all is in place and some unit did not start. At any other the two go on with what they have.
if [ "$ended" -ne 0 ] && [ "$ended" -ne 4 ]; then
  echo "The new secrets are not in use: the system could not be activated ($ended)." >&2
  exit "$ended"
fi
units=(clawdinator.service)
# A host whose bot has no token has no unit of it.
if [ -e /run/current-system/etc/systemd/system/clawbot.service ]; then
  units+=(clawbot.service)
fi
systemctl restart "${units[@]}"
if [ "$ended" -ne 0 ]; then
  echo "The new secrets are in use; some unit did not start (see above)." >&2
fi
exit "$ended"
