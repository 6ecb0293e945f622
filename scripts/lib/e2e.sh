# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The end-to-end tests in one guest. Source lib.sh and tap.sh first.

# e2e VERSION FLAVOUR IOMMU SECONDS SUITES [MODULE-ARGUMENT...]: a document of TAP.
# SUITES is a list of words, '' for all there are
e2e() {
	local version=$1 flavour=$2 iommu=$3 seconds=$4 suites=$5 kernel modules tools what devices
	shift 5

	what="e2e: Linux $version $flavour, ${iommu%%,*} IOMMU"
	# A device by itself, and two in one IOMMU group: functions of one slot. (QEMU's
	# AMD IOMMU takes devices behind a bridge for 00:00.0.)
	devices=(
		--device 'edu,dma_mask=0xffffffffffff'
		--device 'edu,addr=5.0,multifunction=on,dma_mask=0xffffffffffff'
		--device 'edu,addr=5.1,dma_mask=0xffffffffffff'
	)

	tap_begin
	if kernel=$("$ROOT/scripts/kernel" "$version" "$flavour") &&
		modules=$("$ROOT/scripts/module" "$kernel") &&
		tools=$("$ROOT/scripts/tools"); then
		tap_vm "$what" --kernel "$kernel" --iommu "$iommu" --timeout "$seconds" "${devices[@]}" \
			--name "e2e-$version-$flavour-${iommu%%,*}" \
			--module "${modules%%$'\n'*}${*:+ $*}" --file "$tools/wdm-e2e" --run "wdm-e2e $suites"
	else
		tap_result 1 "$what: the kernel, the module and the tools are at hand"
	fi
	tap_end
}
