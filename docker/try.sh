#!/usr/bin/env bash
# Build and run docker/Dockerfile without a Docker engine: Debian's buildah, on a base that
# debootstrap makes under the name that the Dockerfile gives. As root; changes nothing outside
# WORK but buildah's own store. Leaves the image container-alos2-ingest:try.
#   apt-get install buildah debootstrap; docker/try.sh [WORK]
set -euo pipefail
cd "$(dirname "$0")/.."
work=${1:-$(mktemp -d)}
base=$(sed -n 's/^ARG BASE_IMAGE=//p' docker/Dockerfile)
export STORAGE_DRIVER=vfs BUILDAH_ISOLATION=chroot

if ! buildah inspect --type image "$base" >/dev/null 2>&1; then
  mirror=${MIRROR:-http://deb.debian.org/debian}
  debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" "$mirror"
  # A machine may trust more authorities than Debian does, e.g. a proxy's.
  cp /etc/ssl/certs/ca-certificates.crt "$work/base/etc/ssl/certs/ca-certificates.crt"
  container=$(buildah from scratch)
  buildah add -q "$container" "$work/base" /
  buildah commit -q "$container" "$base"
  buildah rm "$container" >/dev/null
fi

buildah build --pull-never -f docker/Dockerfile -t container-alos2-ingest:try .
container=$(buildah from --pull-never localhost/container-alos2-ingest:try)
trap 'buildah rm "$container" >/dev/null' EXIT
job() { # a user that nobody knows, without a home, in a folder of its own
  buildah run --user 12345:12345 --workingdir /tmp "$container" -- env -u HOME "$@"
}
job alos2 --version
job alos2 demo /tmp/demo
for script in pge/ingest_alos2_*.py; do
  job "/opt/alos2/bin/$(basename "$script")" --help >/dev/null
  echo "$(basename "$script"): starts"
done
