#!/bin/sh
# Records what Ansible makes of each inventory here. Needs ansible-inventory (Debian: apt-get install ansible-core).
set -eu
cd "$(dirname "$0")"
for case in */; do
  case=${case%/}
  source=$case
  for name in hosts hosts.ini hosts.yml inventory.sh; do
    if [ -e "$case/$name" ]; then source=$case/$name; fi
  done
  ansible-inventory -i "$source" --list |
    sed "s|$PWD/||g" >"$case.json"
done
