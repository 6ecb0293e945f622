# SPDX-License-Identifier: GPL-2.0
#
# Read the CSV files of scripts/bench and print the report, or with -v plot=ENV the
# figures of one of them for gnuplot.

BEGIN {
	FS = ","
	split("type1 iommufd copy wdm wdm-batch floor floor-gather floor-runs", columns, " ")
	nr_columns = 8
}

/^env,/ { next }

/^# skipped/ {
	if (FILENAME != remarks_of) {
		remarks_of = FILENAME
		env_of_remarks = FILENAME
		sub(/.*\//, "", env_of_remarks)
		sub(/\.csv$/, "", env_of_remarks)
	}
	remarks[env_of_remarks] = remarks[env_of_remarks] "* " substr($0, 12) "\n"
	next
}

/^#/ || NF != 10 { next }

{
	env = $1
	if (!(env in known)) {
		known[env] = 1
		envs[++nr_envs] = env
	}
	row = $2 SUBSEP $3 SUBSEP $5 SUBSEP $6
	if (!((env, row) in seen)) {
		seen[env, row] = 1
		rows[env, ++nr_rows[env]] = row
	}
	median[env, $2, $3, $4, $5] = $7
	if (is_plotted($6, $5))
		plotted[env, $4] = 1
	cell[env, row, $4] = sprintf("%s (%s..%s)", short($7), short($8), short($9))
}

END {
	if (plot) {
		print_plot(plot)
	} else {
		print_targets()
		for (e = 1; e <= nr_envs; e++)
			print_figures(envs[e])
	}
}

# Three significant digits are more than enough for such a measurement.
function short(number) {
	if (number >= 100 || number <= -100)
		return sprintf("%.0f", number)
	return sprintf("%.3g", number)
}

# Return the smallest median of the contenders in the list, "" if there is none.
function best(env, workload, variant, figure, list,    names, n, i, key, value, found) {
	n = split(list, names, " ")
	found = ""
	for (i = 1; i <= n; i++) {
		key = env SUBSEP workload SUBSEP variant SUBSEP names[i] SUBSEP figure
		if (!(key in median))
			continue
		value = median[key] + 0
		if (found == "" || value < found)
			found = value
	}
	return found
}

function ratio(over, under) {
	return over == "" || under == "" || under == 0 ? "" : over / under
}

# Set a target's cell for the current environment: the value, and whether it meets the
# limit. A target is a row of the table, an environment a column.
function target(text, relation, limit, value,    met) {
	if (!(text in target_row)) {
		target_row[text] = ++nr_targets
		target_text[nr_targets] = text
		target_limit[nr_targets] = (relation == "<" ? "<= " : ">= ") limit
	}
	if (value == "")
		met = "-"
	else if (relation == "<" ? value <= limit : value >= limit)
		met = short(value)
	else
		met = short(value) " **missed**"
	target_cell[target_row[text], e] = met
}

# With the null IOMMU, the floor is near zero, and ratios to it are meaningless.
function floor_ratio(env, over, floor) {
	return env ~ /null/ ? "" : ratio(over, floor)
}

# Compare a contender with the floor. If there are several floors, the lowest counts.
function against_floor(env, workload, variant, figure, who, floors) {
	target(workload " " variant " " figure ": " who " / floor", "<", 1.5,
	       floor_ratio(env, best(env, workload, variant, figure, who),
			   best(env, workload, variant, figure, floors)))
}

function pages(env,    f, i, figure) {
	split("map unmap sum", f, " ")
	for (i = 1; i <= 3; i++)
		target("W1 " f[i] ": wdm / faster rival", "<", 0.8,
		       ratio(best(env, "W1", "4k", f[i], "wdm"),
			     best(env, "W1", "4k", f[i], "type1 iommufd")))
	for (i = 1; i <= 2; i++)
		against_floor(env, "W3", "4k", f[i], "wdm-batch", "floor-gather")
}

function buffers(env,    v, f, i, j) {
	split("4k thp", v, " ")
	split("map unmap", f, " ")
	for (i = 1; i <= 2; i++)
		for (j = 1; j <= 2; j++)
			target("W4 " v[i] " " f[j] ": wdm / faster rival", "<", 1,
			       ratio(best(env, "W4", v[i], f[j], "wdm"),
				     best(env, "W4", v[i], f[j], "type1 iommufd")))
	for (i = 1; i <= 2; i++)
		against_floor(env, "W4", v[i], "map", "wdm", "floor floor-runs")
	target("W5 4k map: wdm / copy", "<", 1,
	       ratio(best(env, "W5", "4k", "map", "wdm"), best(env, "W5", "4k", "map", "copy")))
	target("W5 thp map: copy / wdm", ">", 8,
	       ratio(best(env, "W5", "thp", "map", "copy"), best(env, "W5", "thp", "map", "wdm")))
	for (i = 1; i <= 2; i++)
		target("W5 " v[i] " unmap: wdm / copy", "<", 1,
		       ratio(best(env, "W5", v[i], "unmap", "wdm"),
			     best(env, "W5", v[i], "unmap", "copy")))
	against_floor(env, "W5", "4k", "map", "wdm", "floor floor-runs")
}

function threads_and_live(env,    own) {
	own = best(env, "W6", "4k", "scaling", "wdm")
	target("W6 scaling of wdm where the IOMMU does nothing", ">", 1.6, env ~ /null/ ? own : "")
	target("W6 scaling: wdm / iommufd", ">", 1,
	       ratio(own, best(env, "W6", "4k", "scaling", "iommufd")))
	target("W7 a pair of wdm: at 10^6 / at 10^3", "<", 1.5,
	       ratio(best(env, "W7", "4k", "pair at 1000000", "wdm"),
		     best(env, "W7", "4k", "pair at 1000", "wdm")))
	target("W7 bytes for a live mapping of wdm", "<", 64,
	       best(env, "W7", "4k", "memory at 1000000", "wdm"))
}

function tables(env,    k, i) {
	split("k=64 k=4096 all", k, " ")
	for (i = 1; i <= 3; i++)
		target("W8 " k[i] ": fastest rival / flush by list", ">", 5,
		       env ~ /amd/ ? "" : ratio(best(env, "W8", k[i], "replace", "type1 iommufd copy"),
						best(env, "W8", k[i], "list", "wdm")))
	for (i = 1; i <= 3; i++)
		target("W8 " k[i] ": flush by list / floor", "<", 1.5,
		       floor_ratio(env, best(env, "W8", k[i], "list", "wdm"),
				   best(env, "W8", k[i], "replace", "floor")))
	target("W8 k=1: full flush / memcmp", "<", 3,
	       ratio(best(env, "W8", "k=1", "full", "wdm"),
		     best(env, "W8", "none", "memcmp kernel", "floor")))
	target("W8 all: full flush / floor", "<", 1.5,
	       floor_ratio(env, best(env, "W8", "all", "full", "wdm"),
			   best(env, "W8", "all", "replace", "floor")))
	target("W8 memory of the shadow / of the tables", "<", 2,
	       best(env, "W8", "all", "shadow memory", "wdm"))
	against_floor(env, "W9", "4k", "attach", "wdm", "floor")
	against_floor(env, "W9", "4k", "close", "wdm", "floor")
}

function print_targets(    t, line, head) {
	for (e = 1; e <= nr_envs; e++) {
		pages(envs[e])
		buffers(envs[e])
		threads_and_live(envs[e])
		tables(envs[e])
	}
	line = "| target | wanted |"
	head = "| --- | --- |"
	for (e = 1; e <= nr_envs; e++) {
		line = line " " envs[e] " |"
		head = head " --- |"
	}
	print "## Targets\n\n" line "\n" head
	for (t = 1; t <= nr_targets; t++) {
		line = "| " target_text[t] " | " target_limit[t] " |"
		for (e = 1; e <= nr_envs; e++)
			line = line " " target_cell[t, e] " |"
		print line
	}
}

function print_figures(env,    r, c, parts, line, head) {
	print "\n## " env "\n\nMedian (least..most).\n"
	line = "| | unit |"
	head = "| --- | --- |"
	for (c = 1; c <= nr_columns; c++) {
		line = line " " columns[c] " |"
		head = head " --- |"
	}
	print line "\n" head
	for (r = 1; r <= nr_rows[env]; r++) {
		split(rows[env, r], parts, SUBSEP)
		line = "| " parts[1] " " parts[2] " " parts[3] " | " parts[4] " |"
		for (c = 1; c <= nr_columns; c++)
			line = line " " cell[env, rows[env, r], columns[c]] " |"
		print line
	}
	if (remarks[env])
		print "\nSkipped:\n\n" remarks[env]
}

# Print a line for each figure of W1 to W5, and a column for each contender with any.
function print_plot(env,    r, c, parts, key, line) {
	line = "figure"
	for (c = 1; c <= nr_columns; c++)
		if ((env, columns[c]) in plotted)
			line = line "\t" columns[c]
	print line
	for (r = 1; r <= nr_rows[env]; r++) {
		split(rows[env, r], parts, SUBSEP)
		if (!is_plotted(parts[4], parts[3]))
			continue
		line = parts[1] " " parts[2] " " parts[3]
		for (c = 1; c <= nr_columns; c++) {
			if (!((env, columns[c]) in plotted))
				continue
			key = env SUBSEP parts[1] SUBSEP parts[2] SUBSEP columns[c] SUBSEP parts[3]
			line = line "\t" (key in median ? median[key] : "nan")
		}
		print line
	}
}

function is_plotted(unit, figure) {
	return unit == "ns/page" && figure != "sum"
}
