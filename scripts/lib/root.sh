# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian systems in folders, to try in what a machine's administrator does. Needs root.
# Source lib.sh and debian.sh first.

# debian_root SUITE FOLDER PACKAGE...: make FOLDER a fresh minimal Debian with the
# packages. What was downloaded and unpacked is cached.
debian_root() {
	local suite=$1 folder=$2 key tar options=()
	shift 2

	key=$(printf '%s\n' "$suite" "$@" | sha256sum | cut -c 1-12)
	tar=$BUILD/cache/roots/$suite-$key.tar
	if [[ ! -e $tar ]]; then
		need_packages mmdebstrap debian-archive-keyring
		mkdir -p "${tar%/*}"
		say "making a Debian root of $suite"
		# A machine whose mirror stands still has told its apt so
		[[ $(apt-config dump Acquire::Check-Valid-Until) != *false* ]] ||
			options=(--aptopt='Acquire::Check-Valid-Until "false"')
		# Backports come on top of the suite that they are for
		as_root mmdebstrap --quiet --format=tar --variant=minbase --include="$(IFS=,; echo "$*")" \
			--aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' \
			"${options[@]}" "${suite%-backports}" "$tar.new" - \
			< <(for s in "${suite%-backports}" "$suite"; do suite_sources "$s"; done | sort -u) || return
		mv "$tar.new" "$tar"
	fi
	as_root rm -rf "$folder"
	mkdir -p "$folder"
	as_root tar -xf "$tar" -C "$folder"
}

# in_root FOLDER COMMAND...: run the command in the Debian there. Its mounts go with it.
in_root() {
	local folder=$1
	shift

	# shellcheck disable=SC2016  # the inner shell expands them
	as_root unshare --mount --fork --pid --kill-child sh -ec '
		mount -t proc proc "$1/proc"
		mount --rbind /dev "$1/dev"
		folder=$1
		shift
		exec chroot "$folder" env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
		' sh "$folder" "$@" </dev/null
}
