#!/usr/bin/env python3
"""Records which hosts of patterns.ini Ansible finds for each pattern. Needs ansible-core (Debian: apt-get install ansible-core)."""
import json, os
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader

os.chdir(os.path.dirname(os.path.abspath(__file__)))
inventory = InventoryManager(DataLoader(), sources=["patterns.ini"])
PATTERNS = """all * web web:db web,db-a web:&eu !eu:web !eu:&web &web:!web2:fleet all:!web:!odd web1:!eu:web2 fleet[0] fleet[-1] fleet[1:3]
web[0:2] web[1:] web[2:9] web[-4] web[0-1] web[0:1]:!web[0] w*[0] w*[1:2] web? web[!12] web[1-3]* *.example.com *-? 2001:db8::1 named.example.com
~(web|db) ~web[12]$ ~web\\d+ ~.*-a ~(web|db):&eu ~web[12]:db-b web1:web1 all:&web:&eu eu:!web*""".split()
PATTERNS.append(" web1 , web2 ")
rows = {pattern: [host.name for host in inventory.get_hosts(pattern)] for pattern in PATTERNS}
with open("patterns.json", "w") as file:
    file.write("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in rows.items()) + "\n}\n")
