#!/bin/sh
# After a new installation the admin configures dibao first; an upgrade restarts it with the new program.
set -e
install -d -m 0700 -o dibao -g dibao /var/lib/dibao
install -d -m 0750 -o root -g dibao /etc/dibao
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart dibao.service
fi
if [ "$1" = configure ] && [ -z "$2" ] || [ "$1" = 1 ]; then
	echo "dibao is installed. Edit /etc/dibao/config.toml, then: systemctl enable --now dibao"
fi
