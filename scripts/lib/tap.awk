# SPDX-License-Identifier: GPL-2.0
#
# Count TAP and KTAP. Prints "PASSED FAILED SKIPPED", and on stderr the lines that
# failed or were skipped, with the last comments before each failure.
#
#	awk -f scripts/lib/tap.awk FILE...
#
# Indentation marks subtests. Only innermost results count; the line that sums up a
# subtest counts if it failed and nothing in the subtest did. Results missing from a
# plan count as failed. Surplus results count as one failure, as do results without a
# plan (except in subtests: KUnit does not plan parameters) and "Bail out!". A version
# line that is not indented begins a new document. "not ok ... # TODO" counts as
# skipped.

function fail(n, text,    i) {
	failed += n
	failures++
	print "  failed: " text > "/dev/stderr"
	for (i = (nr_comments > 20 ? nr_comments - 20 : 0); i < nr_comments; i++)
		print "    " comments[i] > "/dev/stderr"
	nr_comments = 0
}

function skip(text) {
	skipped++
	print "  skipped: " text > "/dev/stderr"
}

# Enter the block at a depth; record the number of failures at its beginning
function enter(depth) {
	if (!(depth in open))
		open[depth] = failures + 0
	if (depth > deepest)
		deepest = depth
}

# Leave the block at a depth: compare its results with its plan
function leave(depth,    n, text) {
	n = results[depth] + 0
	text = n " results" (last == "" ? "" : ", near: " last)
	if (depth in plan) {
		if (plan[depth] > n)
			fail(plan[depth] - n, "a plan of " plan[depth] " with " text)
		else if (plan[depth] < n)
			fail(1, "a plan of " plan[depth] " with " text)
	} else if (depth == 0) {
		fail(1, "no plan for " text)
	}
	delete open[depth]
	delete plan[depth]
	delete results[depth]
}

# Leave all blocks deeper than a depth. Return the number of failures before the
# outermost of them began, or -1 if there was none.
function leave_deeper(depth,    d, before) {
	before = -1
	for (d = deepest; d > depth; d--) {
		if (d in open) {
			before = open[d]
			leave(d)
		}
	}
	deepest = depth
	return before
}

BEGIN {
	deepest = -1
}

{
	sub(/\r$/, "")
	match($0, /^ */)
	depth = RLENGTH
	line = substr($0, depth + 1)
	directive = toupper(line)
}

line ~ /^K?TAP version [0-9]+$/ {
	if (depth == 0)
		leave_deeper(-1)
	next
}

line ~ /^# (Subtest|module):/ { next }

line ~ /^#/ {
	comments[nr_comments++] = line
	next
}

line ~ /^Bail out!/ {
	fail(1, line)
	next
}

line ~ /^1\.\.[0-9]+/ {
	if (depth in plan)
		leave_deeper(depth - 1)
	enter(depth)
	plan[depth] = substr(line, 4) + 0
	if (plan[depth] == 0 && directive ~ /# *SKIP/)
		skip(line)
	next
}

line ~ /^(not )?ok([ \t]|$)/ {
	before = leave_deeper(depth)
	enter(depth)
	results[depth]++
	last = line
	if (before >= 0) {
		if (line ~ /^not / && directive !~ /# *(SKIP|TODO)/ && failures + 0 == before)
			fail(1, line)
	} else if (directive ~ /# *SKIP/) {
		skip(line)
	} else if (line ~ /^ok/) {
		passed++
	} else if (directive ~ /# *TODO/) {
		skip(line)
	} else {
		fail(1, line)
	}
	nr_comments = 0
}

END {
	leave_deeper(-1)
	printf "%d %d %d\n", passed, failed, skipped
}
