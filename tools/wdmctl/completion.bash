# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Completion of wdmctl for bash-completion. Commands and their arguments are those that
# "wdmctl help" lists.

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
	elif ((cword == 2)) && grep -q "^  $prev \[\?BDF" <<<"$help"; then
		mapfile -t COMPREPLY < <(compgen -W "$(_wdmctl_devices)" -- "$cur")
		__ltrim_colon_completions "$cur"
	fi
}

complete -F _wdmctl wdmctl
