# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of wdmctl for bash-completion. Commands, their arguments and options are those
# that "wdmctl help" lists.

# Addresses of PCI devices that have a VFIO driver
_wdmctl_devices() {
	(
		shopt -s nullglob
		cd /sys/bus/pci/drivers 2>/dev/null && printf '%s\n' vfio*/*:*:*.* mlx5_vfio*/*:*:*.* | sed 's|.*/||'
	)
}

_wdmctl() {
	# shellcheck disable=SC2034  # _init_completion sets them all
	local cur prev words cword help

	_init_completion -n : || return
	help=$("$1" help 2>/dev/null)
	if ((cword == 1)); then
		mapfile -t COMPREPLY < <(compgen -W "$(sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")" -- "$cur")
	elif [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$(grep -o -- ' --[a-z]*' <<<"$help")" -- "$cur")
	elif [[ $prev == --file || $prev == --svg || $prev == -[fs] ]]; then
		_filedir
	elif ((cword == 2)) && grep -q "^  $prev  *PID" <<<"$help"; then
		mapfile -t COMPREPLY < <(compgen -W "$("$1" ps 2>/dev/null |
			awk 'NF > 5 && $1 ~ /^[0-9]+$/ { print $1 }')" -- "$cur")
	elif ((cword == 2)) && grep -q "^  $prev  *\[\?BDF" <<<"$help"; then
		mapfile -t COMPREPLY < <(compgen -W "$(_wdmctl_devices)" -- "$cur")
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _wdmctl wdmctl
