# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Lines of the kernel log that make a test fail.

DMESG_BAD='WARNING:|BUG:|\bOops\b|KASAN:|KCSAN:|UBSAN:|Call Trace:|Kernel panic|general protection fault'
DMESG_BAD+='|suspicious RCU|possible circular|possible recursive|possible irq lock|inconsistent lock'
DMESG_BAD+='|INFO: task .* blocked|detected stall|self-detected|soft lockup|hard LOCKUP|workqueue lockup'
DMESG_BAD+='|refcount_t:|list_(add|del) corruption|held lock freed|locks? (still )?held'
DMESG_BAD+='|kmemleak: [0-9]+ new suspected|unreferenced object|kmemleak: .*disabled|Bad page state'
DMESG_BAD+='|BUG: sleeping function|page allocation failure|segfault at'

# Exceptions: lines that the kernel prints for other reasons, as extended regular
# expressions, each with its reason.
DMESG_ALLOWED=''

# Drop what was printed before init started: no module of ours was there yet. (Under
# TCG, KASAN reports something during one boot in fifty.)
after_boot() {
	awk '/Run \/init as init process/ { n = 0; next } { line[n++] = $0 }
		END { for (i = 0; i < n; i++) print line[i] }' "$1"
}

# Drop KCSAN's reports of races with none of our functions on a stack: the kernel has
# some. A report is enclosed in two lines of equals signs.
our_races() {
	awk '
		function release() { printf "%s", held; held = ""; inside = ours = 0 }
		/====================$/ && inside { if (!ours) held = ""; release(); next }
		/====================$/ { release(); held = $0 "\n"; next }
		/BUG: KCSAN:/ && held != "" { inside = 1 }
		inside { held = held $0 "\n"; if (/\[wdm_/) ours = 1; next }
		{ release(); print }
		END { release() }'
}

# Tests may hit a cgroup's limit, for which the OOM killer's report has a call trace. It is
# an error only if the whole machine is out of memory.
without_cgroup_oom() {
	awk '/invoked oom-killer/ { inside = 1 }
		!inside { print; next }
		{ line[n++] = $0 }
		/oom-kill:constraint=/ {
			if (!/CONSTRAINT_MEMCG/)
				for (i = 0; i < n; i++) print line[i]
			inside = n = 0
		}
		END { for (i = 0; i < n; i++) print line[i] }'
}

# Print the offending lines of the files "$@"; fail if there are any.
scan_dmesg() {
	local file found=0

	for file; do
		[[ -e $file ]] || continue
		if { after_boot "$file" | our_races | without_cgroup_oom | grep -aE "$DMESG_BAD" || true; } |
			{ if [[ $DMESG_ALLOWED ]]; then grep -avE "$DMESG_ALLOWED" || true; else cat; fi; } |
			sed -n 1,20p | grep -a . >&2; then
			found=1
		fi
	done
	return "$found"
}
