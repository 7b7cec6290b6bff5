#!/bin/sh
# Installs Debian packages into an overlay over a base root, and lists what the root holds before and after.
# Run as: unshare --mount --propagation private sh install-packages.sh BASE WORK PROXY PACKAGE...
# The mount namespace is its own, so that every mount below ends with it, also when it is killed.
# WORK holds `sources.list`, and `before` and `after`, POSIX sh run inside the root. It gets `upper` (the result),
# `base.list` and `merged.list` (null-separated paths) and `versions` (package, tab, version).
# PROXY is the HTTP proxy that apt uses.
set -eu
base=$1 work=$2 proxy=$3
shift 3

mkdir -p "$work/upper" "$work/overlay" "$work/merged" "$work/archives/partial"
root=$work/merged
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/upper,workdir=$work/overlay" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/run"
mkdir "$root/run/lock"
# Both hold what is downloaded, which is no part of the image.
mount --bind "$work/archives" "$root/var/cache/apt/archives"
mount -t tmpfs tmpfs "$root/var/lib/apt/lists"
cp "$work/sources.list" "$root/tmp/sources.list"

# No service is started in a root that is only being filled (man 8 invoke-rc.d).
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"

inside() {
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

inside sh -eu <"$work/before"
inside_apt() {
  inside apt-get --quiet --yes -o Acquire::http::Proxy="$proxy" -o Dir::Etc::SourceList=/tmp/sources.list \
    -o Dpkg::Options::=--force-unsafe-io -o APT::Sandbox::User=root "$@"
}
inside_apt update
inside_apt install --no-install-recommends "$@"
inside dpkg-query --show --showformat='${Package}\t${Version}\n' "$@" >"$work/versions"
inside sh -eu <"$work/after"

rm -f "$root/usr/sbin/policy-rc.d" "$root/var/cache/apt/"*.bin "$root/etc/passwd-" "$root/etc/group-" \
  "$root/etc/shadow-" "$root/etc/gshadow-" "$root/var/cache/ldconfig/aux-cache" "$root/var/cache/debconf/"*-old
find "$root/var/log" -type f -delete
umount "$root/proc" "$root/tmp" "$root/run" "$root/var/cache/apt/archives" "$root/var/lib/apt/lists"

list() (cd "$1" && find . -xdev -mindepth 1 -print0)
list "$base" >"$work/base.list"
list "$root" >"$work/merged.list"
