#!/bin/sh
# Purging deletes the database and the configuration, as Debian expects; removing
# keeps both.
set -e
if [ "$1" = purge ]; then
	rm -rf /var/lib/dibao /var/cache/dibao /etc/dibao
	userdel dibao 2>/dev/null || true
	groupdel dibao 2>/dev/null || true
fi
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
