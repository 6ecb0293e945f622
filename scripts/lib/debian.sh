# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian packages of other suites, fetched and unpacked under build/ and never
# installed. apt works on lists of its own; the machine's set-up stays as it is.
# Source lib.sh first.

DEBS=$BUILD/cache/debs
APT=$BUILD/cache/apt

# The mirror that this machine uses for Debian itself.
debian_mirror() {
	local uri

	# shellcheck disable=SC2016  # apt expands the variables
	uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' |
		awk '$1 !~ /security/ && $2 == "Debian" { print $1; exit }')
	# A machine that has read no lists yet knows no targets, but what it would read
	[[ $uri ]] || uri=$(apt-get --print-uris update |
		sed -nE "/security/d; s|^'(.*)/dists/.*|\\1/|p" | head -n 1)
	[[ $uri ]] || die "apt knows no Debian mirror: is there a sources list?"
	echo "$uri"
}

# apt-get and apt-cache on our own lists, for the suite $1. Nothing is installed
# as far as they know: what this machine has must not change what they choose.
suite_apt() {
	local suite=$1 tool=$2
	shift 2

	"$tool" -q \
		-o Dir::Etc::SourceList="$APT/$suite/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$APT/$suite/lists" \
		-o Dir::State::Status="$APT/$suite/status" \
		-o Dir::Cache="$APT/$suite" \
		-o APT::Sandbox::User=root \
		-o APT::Get::List-Cleanup=0 \
		-o Acquire::Languages=none \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		"$@"
}

# Read the lists of suite $1, unless they are fresh.
suite_update() {
	local suite=$1 mirror

	[[ ! $(find "$APT/$suite/fresh" -mmin -30 2>/dev/null) ]] || return 0
	mirror=$(debian_mirror)
	mkdir -p "$APT/$suite/lists/partial" "$APT/$suite/archives/partial"
	: >"$APT/$suite/status"
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" \
		>"$APT/$suite/sources.list"
	say "reading the package lists of $suite"
	suite_apt "$suite" apt-get update >"$APT/$suite/update.log" 2>&1 || {
		cat "$APT/$suite/update.log" >&2
		die "cannot read the package lists of $suite"
	}
	touch "$APT/$suite/fresh"
}

# Put the newest package $2 of suite $1 into the cache, unless it holds one,
# and print the file's name.
deb_fetch() {
	local suite=$1 package=$2 deb

	deb=$(find "$DEBS/" -name "${package}_*.deb" 2>/dev/null | sort -V | tail -n 1)
	if [[ ! $deb ]]; then
		suite_update "$suite"
		mkdir -p "$DEBS/partial-$$"
		say "fetching $package"
		(cd "$DEBS/partial-$$" && suite_apt "$suite" apt-get download "$package" >&2) ||
			die "cannot fetch $package from $suite"
		# Whole files only in the cache, even if a run is cut short
		mv "$DEBS/partial-$$"/*.deb "$DEBS/"
		rmdir "$DEBS/partial-$$"
		deb=$(find "$DEBS/" -name "${package}_*.deb" | sort -V | tail -n 1)
	fi
	echo "$deb"
}
