# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The results of tests: a file in build/matrix for each part of scripts/test, with lines
# KEY=VALUE. Source lib.sh and e2e.sh first.

RESULTS=$BUILD/matrix

# A checksum of everything that the results of a part depend on
result_sources() {
	(cd "$ROOT" && project_files Kbuild include kunit module scripts/kconfig tools |
		xargs -0 sha256sum) | sha256sum | cut -c 1-12
}

# result_value PART KEY
result_value() {
	sed -n "s/^$2=//p" "$RESULTS/$1" 2>/dev/null
}

# result_record PART TAP SECONDS: keep the result of a part that has ended.
result_record() {
	local part=$1 tap=$2 passed failed skipped machine='' commit=$WDM_VERSION
	local version flavour iommu suites provider

	read -r passed failed skipped < <(awk -f "$ROOT/scripts/lib/tap.awk" "$tap" 2>/dev/null)
	# scripts/vm has written the guest's kernel and QEMU to files next to the logs
	if read -r _ version flavour iommu _ suites < <(e2e_rows | awk -v name="$part" '$1 == name'); then
		provider=$(sed -n 's/.*provider=\([a-z]*\).*/-\1/p' <<<"$suites")
		machine=$(cat "$BUILD/logs/e2e-$version-$flavour-${iommu%%[,@]*}$provider.machine" 2>/dev/null) || true
	fi
	! in_git || commit=$(git_here rev-parse --short=7 HEAD)

	mkdir -p "$RESULTS"
	cp "$tap" "$RESULTS/$part.tap"
	cat >"$RESULTS/$part.new" <<-END
		passed=$passed
		failed=$failed
		skipped=$skipped
		suites=$(sed -n 's/^        # Subtest: //p' "$tap" | tr '\n' ' ')
		machine=$machine
		seconds=$3
		date=$(date -u +%F)
		commit=$commit
		sources=$(result_sources)
	END
	mv "$RESULTS/$part.new" "$RESULTS/$part"
}
