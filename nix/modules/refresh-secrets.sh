# An operator's explicit refresh: the newest bundle, in use. Type it as root.
set -euo pipefail

/run/current-system/sw/bin/clawdinator-boot secrets --refresh
# agenix decrypts what lies there when a system is activated; this one is, again.
/run/current-system/bin/switch-to-configuration test
systemctl restart clawdinator.service clawbot.service
