#!/bin/sh
case $1 in
--list) echo '{ "web": ["w1", "w2"], "db": { "hosts": ["d1"] } }' ;;
--host) case $2 in w1) echo '{ "asked": "w1" }' ;; *) echo '{ "asked": "'"$2"'", "port": 22 }' ;; esac ;;
esac
