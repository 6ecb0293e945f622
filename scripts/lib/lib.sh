# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Functions that all scripts share. Sourcing this file sets variables, and duplicates
# stderr for progress, which goes to the terminal even if output is captured.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${WDM_BUILD:-$ROOT/build}
export DEBIAN_FRONTEND=noninteractive
exec {progress_fd}>&2
# shellcheck disable=SC2034  # used by the scripts that source this one
WDM_VERSION=$(cat "$ROOT/VERSION")

# Progress goes to stderr: stdout carries results.
say() {
	progress_clear
	printf '[%4ds] %s\n' "$SECONDS" "$*" >&2
}

# Check that stderr is a terminal on which no other script shows progress.
progress_shows() {
	[[ -t $progress_fd && ! ${WDM_NO_PROGRESS:-} ]]
}

# On a terminal: print a line that the next one replaces.
progress() {
	! progress_shows || printf '\r\033[K[%4ds] %s' "$SECONDS" "$*" >&"$progress_fd"
}

progress_clear() {
	[[ ! -t $progress_fd ]] || printf '\r\033[K' >&"$progress_fd"
}

# progress_of FILE DESCRIPTION PATTERN COMMAND...: run the command. On a terminal, show
# the current number of lines of FILE that match PATTERN.
progress_of() {
	local file=$1 what=$2 pattern=$3 pid rc=0
	shift 3

	progress_shows || { "$@"; return; }
	"$@" &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		progress "$what: $(grep -csE "$pattern" "$file" || true) done"
		sleep 1
	done
	progress_clear
	wait "$pid" || rc=$?
	return "$rc"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# Print the comment at the top of the script, without the licence line.
usage() {
	awk 'NR > 2 { if (!/^#/) exit; sub(/^# ?/, ""); print }' "$0"
}

# Take the lock named $1 until the script (or subshell) exits. Report when it has
# to wait.
lock() {
	local fd

	mkdir -p "$BUILD/locks"
	exec {fd}>"$BUILD/locks/$1"
	flock -n "$fd" && return
	say "waiting for another run that holds the lock '$1'"
	flock "$fd"
}

# run_logged LOG DESCRIPTION PATTERN COMMAND...: run the command with its output in
# LOG. Print the number of lines that match PATTERN every 20 seconds, on a terminal
# every second, and the end of the log on failure.
run_logged() {
	local log=$1 what=$2 pattern=$3 pid rc=0 tick=0
	shift 3

	mkdir -p "$(dirname "$log")"
	"$@" >"$log" 2>&1 &
	pid=$!
	while kill -0 "$pid" 2>/dev/null; do
		sleep 1
		tick=$((tick + 1))
		if progress_shows; then
			progress "$what: $(grep -cE "$pattern" "$log" || true) done"
		else
			((tick % 20)) || say "$what: $(grep -cE "$pattern" "$log" || true) done"
		fi
	done
	progress_clear
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

# Install the packages among "$@" that are missing.
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
		# In a subshell, so that the lock is dropped right after
		lock packages
		log=$BUILD/logs/packages.log
		mkdir -p "$BUILD/logs"
		apt() {
			as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
				-o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
		}
		# Without a network, the existing lists may suffice
		apt update || say "apt-get update failed, using the lists at hand"
		apt install -y --no-install-recommends "${missing[@]}"
	) || {
		tail -n 20 "$BUILD/logs/packages.log" >&2
		die "cannot install ${missing[*]}"
	}
}

# Check that the tree is a git checkout, and not an unpacked release tarball or the like.
in_git() {
	[[ -e $ROOT/.git ]] && command -v git >/dev/null
}

# git in the tree, also for root in a user's checkout ("sudo make install").
git_here() {
	git -c safe.directory="$ROOT" -C "$ROOT" "$@"
}

# project_files [PATH...]: the project's files in or below the paths, relative to
# $ROOT, sorted and NUL-terminated. In a git checkout these are the files that git
# tracks or would track. Elsewhere they are all files except those in .gitignore.
project_files() {
	local f

	if in_git; then
		git_here ls-files -z --cached --others --exclude-standard
	else
		find_files
	fi | LC_ALL=C sort -zu |
		while IFS= read -r -d '' f; do
			# Git's index may list files that have been deleted
			[[ ! -e $ROOT/$f ]] || ! is_below "$f" "$@" || printf '%s\0' "$f"
		done
}

# is_below FILE [PATH...]: FILE is one of the paths or below one; no paths mean all.
is_below() {
	local file=$1 path
	shift

	(($#)) || return 0
	for path; do
		[[ $file != "$path" && $file != "$path"/* ]] || return 0
	done
	return 1
}

# All files except those in .gitignore.
find_files() {
	local pattern ignored=(-name .git)

	while IFS= read -r pattern; do
		case $pattern in
		'' | '#'*) ;;
		/*) ignored+=(-o -path ".${pattern%/}") ;;
		*) ignored+=(-o -name "${pattern%/}") ;;
		esac
	done <"$ROOT/.gitignore"
	(cd "$ROOT" && find . \( "${ignored[@]}" \) -prune -o -type f -printf '%P\0')
}

# The sources of the module, NUL-terminated.
module_sources() {
	project_files Kbuild VERSION dkms.conf include kunit module \
		scripts/dkms-check scripts/dkms-symvers
}
