# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# TAP on stdout, for the parts of scripts/test and for scripts/lint. Source lib.sh
# first.

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

# tap_check DESCRIPTION COMMAND...: the command succeeds. If it does not, its output
# becomes a comment.
tap_check() {
	local tap_what=$1 tap_log tap_status=0
	shift

	tap_log=$(mktemp)
	"$@" >"$tap_log" 2>&1 || tap_status=$?
	((tap_status == 0)) || tail -n 60 "$tap_log" | sed 's/^/# /'
	rm -f "$tap_log"
	tap_result "$tap_status" "$tap_what"
}

# tap_fails DESCRIPTION COMMAND...: the command fails.
tap_fails() {
	local tap_what=$1
	shift

	tap_check "$tap_what" negate "$@"
}

negate() {
	! "$@"
}

# tap_prints DESCRIPTION TEXT COMMAND...: the command's output contains TEXT; its status
# is ignored.
tap_prints() {
	local tap_what=$1 tap_text=$2 tap_out
	shift 2

	tap_out=$("$@" 2>&1) || true
	if [[ $tap_out == *"$tap_text"* ]]; then
		tap_result 0 "$tap_what"
	else
		printf 'wanted: %s\ngot: %s\n' "$tap_text" "$tap_out" | sed 's/^/# /'
		tap_result 1 "$tap_what"
	fi
}

# tap_subtest DESCRIPTION COMMAND...: make a subtest of the TAP that the command
# prints. Without any result it fails. The command's status is a separate test.
tap_subtest() {
	local tap_what=$1 tap_line tap_results=0 tap_status=1
	shift

	echo "    # Subtest: $tap_what"
	while IFS= read -r tap_line; do
		case $tap_line in
		'status '*) tap_status=${tap_line#status } ;;
		*) printf '    %s\n' "$tap_line" ;;
		esac
		[[ ! $tap_line =~ ^\ *(not\ )?ok ]] || tap_results=$((tap_results + 1))
	done < <("$@" && echo 'status 0' || echo "status $?")
	tap_result "$((tap_results == 0))" "$tap_what"
	tap_result "$tap_status" "$tap_what: ended well"
}

# tap_vm DESCRIPTION ARGUMENT-OF-SCRIPTS/VM...: make a subtest of the guest's output.
tap_vm() {
	tap_subtest "$1" "$ROOT/scripts/vm" "${@:2}"
}
