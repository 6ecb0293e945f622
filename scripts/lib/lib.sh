# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scripts share. Source it; it runs nothing but a few assignments.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${WDM_BUILD:-$ROOT/build}
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2034  # for those who source this
WDM_VERSION=$(cat "$ROOT/VERSION")

# Progress goes to stderr: stdout is for what a caller reads.
say() {
	printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Print the comment at the top of the script, without the licence line.
usage() {
	awk 'NR > 2 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
}

# Take the lock called $1 until the script (or subshell) ends, saying so if
# someone else holds it.
lock() {
	local fd

	mkdir -p "$BUILD/locks"
	exec {fd}>"$BUILD/locks/$1"
	flock -n "$fd" && return
	say "waiting for another run that holds the lock '$1'"
	flock "$fd"
}

# Run "$@" with its output in file $1, printing a line now and then; on
# failure print the end of the log. $2 is what to say, $3 a pattern of lines
# to count as progress.
run_logged() {
	local log=$1 what=$2 pattern=$3 pid rc=0 tick=0
	shift 3

	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		tick=$((tick + 1))
		((tick % 20)) || say "$what: $(grep -cE "$pattern" "$log" || true) done"
	done
	wait "$pid" || rc=$?
	if ((rc)); then
		tail -n 40 "$log" >&2
		say "$what: failed, see $log"
	fi
	return "$rc"
}

as_root() {
	if ((EUID == 0)); then
		"$@"
	else
		sudo -n "$@"
	fi
}

# Install those of the packages "$@" that are missing.
need_packages() {
	local p missing=()

	for p; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null) == installed ]] ||
			missing+=("$p")
	done
	((${#missing[@]})) || return 0

	if ((EUID != 0)) && ! sudo -n true 2>/dev/null; then
		die "please install: apt-get install ${missing[*]}"
	fi
	say "installing ${missing[*]}"
	(
		# The subshell holds the lock, and no longer than it runs
		lock packages
		log=$BUILD/logs/packages.log
		mkdir -p "$BUILD/logs"
		apt() {
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
				-o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
		}
		# The lists may be old or absent: try with what is there last
		apt update || say "apt-get update failed, going on with the lists at hand"
		apt install -y --no-install-recommends "${missing[@]}"
	) || {
		tail -n 20 "$BUILD/logs/packages.log" >&2
		die "cannot install ${missing[*]}"
	}
}

# The files that the module is built from, each ended by a NUL: what git knows
# or would take, so that nobody's left-overs are built or installed. (Root may
# do so in a user's checkout: "sudo make install".)
module_sources() {
	local f

	git -c safe.directory="$ROOT" -C "$ROOT" ls-files -z --cached --others --exclude-standard -- \
		Kbuild VERSION dkms.conf include kunit module scripts/dkms-check |
		sort -zu |
		while IFS= read -r -d '' f; do
			# Deleted, but git was not told yet
			[[ ! -e $ROOT/$f ]] || printf '%s\0' "$f"
		done
}
