# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian roots, for tests of what an administrator does. Needs root.
# Source lib.sh and debian.sh first.

# make_root SUITE TAR PACKAGE...: make the archive of a root, unless it is there.
make_root() {
	local suite=$1 tar=$2 options=()
	shift 2

	[[ ! -e $tar ]] || return 0
	need_packages mmdebstrap debian-archive-keyring
	mkdir -p "${tar%/*}"
	say "making a Debian root of $suite"
	# Keep the machine's setting for mirrors that are no longer updated
	[[ $(apt-config dump Acquire::Check-Valid-Until) != *false* ]] ||
		options=(--aptopt='Acquire::Check-Valid-Until "false"')
	# Backports are in addition to the suite that they are for
	as_root mmdebstrap --quiet --format=tar --variant=minbase --include="$(IFS=,; echo "$*")" \
		--aptopt='Acquire::Languages "none"' --dpkgopt='path-exclude=/usr/share/doc/*' \
		"${options[@]}" "${suite%-backports}" "$tar.new" - \
		< <(for s in "${suite%-backports}" "$suite"; do suite_sources "$s"; done | sort -u) || return
	mv "$tar.new" "$tar"
}

# debian_root SUITE DIRECTORY PACKAGE...: make DIRECTORY a fresh minimal Debian root with
# the packages. Downloads and unpacked packages are cached.
debian_root() {
	local suite=$1 folder=$2 key tar
	shift 2

	key=$(printf '%s\n' "$suite" "$@" | sha256sum | cut -c 1-12)
	tar=$BUILD/cache/roots/$suite-$key.tar
	[[ -e $tar ]] || (lock "root-$key"; make_root "$suite" "$tar" "$@") || return
	as_root rm -rf "$folder"
	mkdir -p "$folder"
	as_root tar -xf "$tar" -C "$folder"
}

# install_root SUITE DIRECTORY: make a Debian root to install the module in, with a kernel,
# its headers, and tools to build programs.
install_root() {
	debian_root "$1" "$2" bash-completion dkms libc6-dev libedit2 linux-headers-amd64 linux-image-amd64 \
		make pkg-config python3 systemd-standalone-sysusers
}

# in_root [--bind DIRECTORY]... ROOT COMMAND...: run the command in the Debian in ROOT, with
# the other directories bound to the same paths. Its mounts end with it.
in_root() {
	# shellcheck disable=SC2016  # the inner shell expands them
	as_root unshare --mount --fork --pid --kill-child sh -ec '
		binds=""
		while [ "$1" = --bind ]; do
			binds="$binds $2"
			shift 2
		done
		folder=$1
		shift
		mount -t proc proc "$folder/proc"
		mount --rbind /dev "$folder/dev"
		for bind in $binds; do
			mkdir -p "$folder$bind"
			mount --bind "$bind" "$folder$bind"
		done
		exec chroot "$folder" env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb \
			PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
		' sh "$@" </dev/null
}

# readme_program FILE: print the program of that name in README.md
readme_program() {
	awk -v file="$1" '/^<!-- program: / { on = $3 == file; next }
		/^```$/ { on = 0 } on && !/^```/' "$ROOT/README.md"
}

# root_release DIRECTORY: print the release of the kernel that the root has headers of
root_release() {
	basename "$1"/lib/modules/*
}

# root_files DIRECTORY: list the files that an installation could change there, except for
# logs, caches, and files of depmod, dpkg and apt
root_files() {
	as_root find "$1"/{etc,lib,usr,var} -xdev \( -path "$1/var/log" -o -path "$1/var/cache" -o \
		-path "$1/var/lib/apt" -o -path "$1/var/lib/dpkg" \) -prune -o -name 'modules.*' -prune -o \
		! -name '*-' ! -name group ! -name gshadow ! -name .updated -printf '%P\n' | LC_ALL=C sort -u
}

# root_has_module DIRECTORY: DKMS has installed the module for the root's kernel, and the
# udev rule and the group exist
root_has_module() {
	local release

	release=$(root_release "$1")
	[[ $(as_root find "$1/lib/modules/$release/updates/dkms" -name 'wdm_iommu.ko*') ]] &&
		in_root "$1" modinfo -k "$release" -F vermagic wdm_iommu | grep -F "$release " &&
		in_root "$1" getent group wdm-iommu &&
		test -e "$1/usr/lib/udev/rules.d/60-wdm-iommu.rules"
}

# root_builds_example DIRECTORY: the kernel code of README.md builds there as a separate
# module, with the installed headers and symbols
root_builds_example() {
	local release source=/usr/src/wdm-iommu-$WDM_VERSION

	release=$(root_release "$1")
	as_root mkdir -p "$1/srv/user"
	{
		readme_program kernel.c
		cat <<-'END'
			static int __init example_init(void)
			{
				return NT_SUCCESS(share_page(NULL, NULL, 0)) ? 0 : -EINVAL;
			}

			module_init(example_init);
			MODULE_DESCRIPTION("The example of README.md");
			MODULE_LICENSE("GPL");
		END
	} | if [[ $release == 6.1[.-]* || $release == 6.12.* ]]; then
		# Before 6.13 the namespace is not a string
		sed 's/MODULE_IMPORT_NS("WDM_IOMMU")/MODULE_IMPORT_NS(WDM_IOMMU)/'
	else
		cat
	fi | as_root tee "$1/srv/user/example.c" >/dev/null
	printf 'obj-m := example.o\nccflags-y := -I%s/include -I%s/include/uapi\n' "$source" "$source" |
		as_root tee "$1/srv/user/Kbuild" >/dev/null
	in_root "$1" make -C "/lib/modules/$release/build" M=/srv/user modules \
		KBUILD_EXTRA_SYMBOLS="/var/lib/dkms/wdm-iommu/kernel-$release-x86_64/Module.symvers"
}
