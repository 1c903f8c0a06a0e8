#!/bin/sh
# Create the user that the daemon runs as before its files are installed.
set -e
if ! getent group dibao >/dev/null; then
	groupadd --system dibao
fi
if ! getent passwd dibao >/dev/null; then
	useradd --system --gid dibao --home-dir /var/lib/dibao --shell /usr/sbin/nologin dibao
fi
