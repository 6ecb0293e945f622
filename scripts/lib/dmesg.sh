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

# What the kernel says before its init starts is its own affair: no module of ours
# is there yet. (Once in some fifty boots under TCG, KASAN has something to say.)
after_boot() {
	awk '/Run \/init as init process/ { n = 0; next } { line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }' "$1"
}

# Print the lines of the files "$@" that must not be there; false if there are any.
scan_dmesg() {
	local file found=0

	for file; do
		[[ -e $file ]] || continue
		# No match is what we hope for
		if { after_boot "$file" | grep -aE "$DMESG_BAD" || true; } |
			{ if [[ $DMESG_ALLOWED ]]; then grep -avE "$DMESG_ALLOWED" || true; else cat; fi; } |
			sed -n 1,20p | grep -a . >&2; then
			found=1
		fi
	done
	return "$found"
}
