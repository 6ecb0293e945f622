# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For the parts of scripts/test and for scripts/lint: TAP on stdout. Source
# lib.sh first.

tap_count=0

tap_begin() {
	echo 'TAP version 13'
}

tap_end() {
	echo "1..$tap_count"
}

# tap_result STATUS DESCRIPTION
tap_result() {
	tap_count=$((tap_count + 1))
	if (($1)); then
		printf 'not ok %d - %s\n' "$tap_count" "$2"
	else
		printf 'ok %d - %s\n' "$tap_count" "$2"
	fi
}

# tap_skip DESCRIPTION REASON
tap_skip() {
	tap_count=$((tap_count + 1))
	printf 'ok %d - %s # SKIP %s\n' "$tap_count" "$1" "$2"
}

# tap_check DESCRIPTION COMMAND...: the command succeeds. What it prints is
# shown if it does not. Leaves the status in tap_status.
tap_check() {
	local what=$1 log
	shift

	log=$(mktemp)
	tap_status=0
	"$@" >"$log" 2>&1 || tap_status=$?
	((tap_status == 0)) || tail -n 60 "$log" | sed 's/^/# /'
	rm -f "$log"
	tap_result "$tap_status" "$what"
}

# tap_fails DESCRIPTION COMMAND...: the command fails.
tap_fails() {
	local what=$1
	shift

	tap_check "$what" negate "$@"
}

negate() {
	! "$@"
}

# tap_prints DESCRIPTION TEXT COMMAND...: the command, whatever its status,
# prints something that holds TEXT.
tap_prints() {
	local what=$1 text=$2 out
	shift 2

	out=$("$@" 2>&1) || true
	if [[ $out == *"$text"* ]]; then
		tap_result 0 "$what"
	else
		printf 'wanted: %s\ngot: %s\n' "$text" "$out" | sed 's/^/# /'
		tap_result 1 "$what"
	fi
}

# tap_vm DESCRIPTION ARGUMENT-OF-SCRIPTS/VM...: what the guest prints is a
# subtest, and that it ended well, with a clean log, is a test of its own.
tap_vm() {
	local what=$1 rc=0
	shift

	echo "    # Subtest: $what"
	"$ROOT/scripts/vm" "$@" | sed -u 's/^/    /' || rc=${PIPESTATUS[0]}
	tap_result 0 "$what"
	tap_result "$rc" "$what: the guest ended well and its log is clean"
}
