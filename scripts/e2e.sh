# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The end-to-end tests in one guest. Source lib.sh and tap.sh first.

# e2e VERSION FLAVOUR IOMMU SECONDS [MODULE-ARGUMENT...]: a document of TAP
e2e() {
	local version=$1 flavour=$2 iommu=$3 seconds=$4 kernel modules tools what devices
	shift 4

	what="e2e: Linux $version $flavour, ${iommu%%,*} IOMMU"
	# A device by itself, and two behind a bridge that share an IOMMU group
	devices=(
		--device 'edu,dma_mask=0xffffffffffff'
		--device 'pcie-pci-bridge,id=bridge'
		--device 'edu,bus=bridge,addr=1,dma_mask=0xffffffffffff'
		--device 'edu,bus=bridge,addr=2,dma_mask=0xffffffffffff'
	)

	tap_begin
	if kernel=$("$ROOT/scripts/kernel" "$version" "$flavour") &&
		modules=$("$ROOT/scripts/module" "$kernel") &&
		tools=$("$ROOT/scripts/tools"); then
		tap_vm "$what" --kernel "$kernel" --iommu "$iommu" --timeout "$seconds" "${devices[@]}" \
			--name "e2e-$version-$flavour-${iommu%%,*}" \
			--module "${modules%%$'\n'*}${*:+ $*}" --file "$tools/wdm-e2e" --run wdm-e2e
	else
		tap_result 1 "$what: the kernel, the module and the tools are at hand"
	fi
	tap_end
}
