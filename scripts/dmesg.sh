# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What in a kernel's log fails a test, in one place. Source it.

DMESG_BAD='WARNING:|BUG:|\bOops\b|KASAN:|UBSAN:|Call Trace:|Kernel panic|general protection fault'
DMESG_BAD+='|suspicious RCU|possible circular|possible recursive|possible irq lock|inconsistent lock'
DMESG_BAD+='|INFO: task .* blocked|detected stall|self-detected|soft lockup|hard LOCKUP|workqueue lockup'
DMESG_BAD+='|refcount_t:|list_(add|del) corruption|held lock freed|locks? (still )?held'
DMESG_BAD+='|kmemleak: [0-9]+ new suspected|unreferenced object|kmemleak: .*disabled|Bad page state'
DMESG_BAD+='|BUG: sleeping function|page allocation failure|segfault at'

# Lines of the kernel's own that are no fault of a test, one extended regular
# expression a line, each with its reason.
DMESG_ALLOWED=''

# Print the lines of the files "$@" that must not be there; false if there are any.
scan_dmesg() {
	local file found=0

	for file; do
		[[ -e $file ]] || continue
		# No match is what we hope for
		if { grep -aE "$DMESG_BAD" "$file" || true; } |
			{ if [[ $DMESG_ALLOWED ]]; then grep -avE "$DMESG_ALLOWED" || true; else cat; fi; } |
			head -n 20 | grep -a . >&2; then
			found=1
		fi
	done
	return "$found"
}
