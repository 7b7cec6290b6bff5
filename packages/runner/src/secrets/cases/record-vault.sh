#!/bin/sh
# Seals texts with Debian's ansible-vault. Needs ansible-core (apt-get install ansible-core). A new recording is another
# ciphertext of the same clear text.
set -eu
cd "$(dirname "$0")"
printf 'vault_user: admin\nvault_password: canary-in-vault-file\nvault_port: 3306\nvault_on: true\nvault_list: [a, {b: canary-nested}]\n' >vaulted/group_vars/web/vault.yml
printf 'ROOT=canary-of-prod\n' >prod.env
ansible-vault encrypt --vault-password-file password vaulted/group_vars/web/vault.yml
ansible-vault encrypt --vault-id prod@password-prod --encrypt-vault-id prod prod.env
{
  cat <<'Y'
web:
  hosts:
    web1:
  vars:
Y
  for text in 'inline_password=canary-inline' 'unicode=pässwörd ☃' 'block=exactly16bytes!!'; do
    printf '%s' "${text#*=}" | ansible-vault encrypt_string --vault-password-file password --stdin-name "${text%%=*}" | sed 's/^/    /'
    echo
  done
  printf '%s' 'canary-labelled' | ansible-vault encrypt_string --vault-id prod@password-prod --encrypt-vault-id prod --stdin-name labelled | sed 's/^/    /'
} >vaulted/hosts.yml
