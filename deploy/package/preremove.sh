#!/bin/sh
# Stop the daemon when the package is removed, not when it is upgraded.
set -e
if [ -d /run/systemd/system ] && { [ "$1" = remove ] || [ "$1" = 0 ]; }; then
	systemctl disable --now dibao.service || true
fi
