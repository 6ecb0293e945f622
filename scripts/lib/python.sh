# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# This machine's Python in a guest. Source lib.sh first.

PYTHON=/usr/bin/python3

# Print the path of Python's standard library.
python_home() {
	"$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("stdlib"))'
}

# Print a directory with the parts of the standard library that tests may import, compiled:
# under TCG, compiling takes longer than running.
python_stdlib() {
	local from version to

	need_packages cpio
	from=$(python_home)
	version=$("$PYTHON" -c 'import sys; print(sys.version)' | sha256sum | cut -c 1-12)
	to=$BUILD/python-guest/$version
	(
		lock python-guest
		[[ ! -e $to ]] || exit 0
		rm -rf "$BUILD/python-guest"
		mkdir -p "$to.new"
		(cd "$from" && find . \( -name __pycache__ -o -name test -o -name tests -o -name 'config-*' \
			-o -name idlelib -o -name lib2to3 -o -name ensurepip -o -name tkinter -o -name pydoc_data \
			-o -name distutils -o -name asyncio -o -name multiprocessing -o -name email -o -name http \
			-o -name xml -o -name xmlrpc -o -name sqlite3 -o -name '*-packages' \) -prune -o \
			-type f \( -name '*.py' -o -name '_ctypes.*.so' -o -name 'mmap.*.so' \) -print0 |
			cpio --quiet -pdm0 "$to.new")
		# Not by time stamps, which change when the files are copied
		"$PYTHON" -m compileall -q --invalidation-mode unchecked-hash "$to.new" >&2
		mv "$to.new" "$to"
	) || return
	echo "$to"
}
