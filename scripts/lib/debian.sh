# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Fetch Debian packages of other suites into build/, without installing them. apt uses
# separate lists, so the machine's configuration does not change. Source lib.sh first.

DEBS=$BUILD/cache/debs
APT=$BUILD/cache/apt

# Print the Debian mirror that this machine uses.
debian_mirror() {
	local uri

	# shellcheck disable=SC2016  # apt expands the variables
	uri=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN)' |
		awk '$1 !~ /security/ && $2 == "Debian" { print $1; exit }')
	# Before the first "apt-get update" there are no targets, only URIs to fetch
	[[ $uri ]] || uri=$(apt-get --print-uris update |
		sed -nE "/security/d; s|^'(.*)/dists/.*|\\1/|p" | head -n 1)
	[[ $uri ]] || die "apt has no Debian mirror: is there a sources list?"
	echo "${uri%/}"
}

# suite_sources SUITE: print lines for apt's sources list: the suite, and its security
# updates. Mirrors have both archives, next to each other.
suite_sources() {
	local mirror suite=$1 key='[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]'

	mirror=$(debian_mirror)
	echo "deb $key $mirror $suite main"
	case $suite in
	*-backports | sid) ;;
	*) echo "deb $key $mirror-security $suite-security main" ;;
	esac
}

# A SUITE is the name of one, or NAME:ARCH for packages of another architecture. The
# machine's list of architectures does not change.

# suite_arch SUITE: print its architecture.
suite_arch() {
	case $1 in
	*:*) echo "${1#*:}" ;;
	*) dpkg --print-architecture ;;
	esac
}

# suite_dir SUITE: print the directory of its lists.
suite_dir() {
	local arch
	arch=$(suite_arch "$1")

	echo "$APT/${1%:*}$([[ $arch == "$(dpkg --print-architecture)" ]] || echo "-$arch")"
}

# suite_apt SUITE TOOL ARGUMENT...: run apt-get or apt-cache on our lists, one at a time,
# as an update replaces files that others read. With an empty status file, the machine's
# installed packages do not affect the choice.
suite_apt() (
	local folder tool=$2 arch
	folder=$(suite_dir "$1")
	arch=$(suite_arch "$1")
	shift 2

	lock "apt-${folder##*/}"
	"$tool" -q \
		-o Dir::Etc::SourceList="$folder/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$folder/lists" \
		-o Dir::State::Status="$folder/status" \
		-o Dir::Cache="$folder" \
		-o APT::Architecture="$arch" \
		-o APT::Architectures="$arch" \
		-o APT::Sandbox::User=root \
		-o APT::Get::List-Cleanup=0 \
		-o Acquire::Languages=none \
		-o Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false \
		"$@"
)

# suite_update SUITE: fetch its package lists, unless they are recent. Another run may be
# fetching them.
suite_update() (
	local suite=$1 folder
	folder=$(suite_dir "$1")

	lock "lists-${folder##*/}"
	[[ ! $(find "$folder/fresh" -mmin -30 2>/dev/null) ]] || return 0
	mkdir -p "$folder/lists/partial" "$folder/archives/partial"
	: >"$folder/status"
	suite_sources "${suite%:*}" >"$folder/sources.list"
	say "fetching the package lists of $suite"
	suite_apt "$suite" apt-get update >"$folder/update.log" 2>&1 || {
		cat "$folder/update.log" >&2
		die "cannot fetch the package lists of $suite"
	}
	touch "$folder/fresh"
)

# Print the file's name of the newest version of the package in the cache, if any.
deb_cached() {
	local suite=$1 package=$2

	find "$DEBS/" \( -name "${package}_*_$(suite_arch "$suite").deb" -o -name "${package}_*_all.deb" \) \
		2>/dev/null | sort -V | tail -n 1
}

# deb_fetch SUITE PACKAGE: fetch the newest version of the package, unless the cache
# has one, and print the file's name.
deb_fetch() {
	local suite=$1 package=$2 deb partial=$DEBS/partial-$BASHPID

	deb=$(deb_cached "$suite" "$package")
	if [[ ! $deb ]]; then
		suite_update "$suite" || return
		mkdir -p "$partial"
		say "fetching $package"
		(cd "$partial" && suite_apt "$suite" apt-get download "$package" >&2) ||
			die "cannot fetch $package from $suite"
		# An interrupted run must not leave a partial file in the cache
		mv "$partial"/*.deb "$DEBS/"
		rmdir "$partial"
		deb=$(deb_cached "$suite" "$package")
	fi
	echo "$deb"
}
