#!/bin/sh
[ "$1" = --list ] || exit 3
cat <<'J'
{
  "databases": { "hosts": ["host1", "host2"], "vars": { "a": true, "nested": { "x": [1, "2"] } } },
  "webservers": ["host2", "host3"],
  "atlanta": { "hosts": ["host1", "host4"], "vars": { "b": false }, "children": ["marietta", "5points"] },
  "marietta": ["host6"],
  "5points": ["host7"],
  "lonely": { "ansible_host": "192.0.2.9" },
  "empty": { "hosts": [], "vars": {} },
  "all": { "vars": { "everywhere": 1 } },
  "_meta": { "hostvars": {
    "host1": { "asdf": 1234, "inert": "$(id) `id` ${x} <%= 1 %>", "unsafe": { "__ansible_unsafe": "{{ x }}" } },
    "host2": { "asdf": 5678 }
  } }
}
J
