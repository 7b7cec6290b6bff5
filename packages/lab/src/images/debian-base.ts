import type { BaseLayer } from "./recipe.ts";

/**
 * The Debian root that all images share: minbase, without documentation, translations, and traces of the machine that
 * made it. Tells dpkg to leave the same out of what is installed on top.
 */
export const debianBase: BaseLayer = {
  kind: "base",
  name: "debian-trixie",
  suite: "trixie",
  finish: `
cd "$1"
rm -f etc/resolv.conf etc/hostname etc/machine-id etc/*- var/log/*.log var/log/apt/* var/cache/apt/*.bin
rm -rf var/lib/apt/lists/* var/cache/apt/archives/* var/cache/debconf/*-old var/cache/ldconfig/aux-cache dev/* tmp/*
rm -rf usr/share/locale/* usr/share/man/* usr/share/info/*
find usr/share/doc -mindepth 2 -type f ! -name copyright -delete
find usr/share/doc -type l -delete
: >etc/machine-id
rm -f etc/apt/sources.list
cat >etc/dpkg/dpkg.cfg.d/lab-image <<'END'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
END
`,
};
