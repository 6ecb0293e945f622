# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034  # used by the scripts that source this one
#
# Properties of the architectures that the scripts can build for and boot, by Debian's
# names. Source lib.sh first.

# arch_of NAME: print the architecture of a flavour, a kernel or its directory, which
# has it as a suffix unless it is amd64: stock-arm64, build/kernels/6.1-stock-arm64.
arch_of() {
	case $1 in
	*-arm64) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# arch_name NAME: print the name with the suffix of the architecture that is set.
arch_name() {
	case $ARCH in
	amd64) echo "$1" ;;
	*) echo "$1-$ARCH" ;;
	esac
}

# arch_set NAME: set the variables of the architecture:
#
#   ARCH              Debian's name
#   ARCH_KERNEL       its directory in the kernel's arch/
#   ARCH_IMAGE        the kernel's image there
#   ARCH_GNU          GNU's name
#   ARCH_QEMU         QEMU's program
#   ARCH_QEMU_PACKAGE the package of that program
#   ARCH_MACHINE      QEMU's machine
#   ARCH_CPU          the CPU to emulate
#   ARCH_SERIAL       QEMU's arguments for serial ports on the chardevs console, tap, log
#   ARCH_TTYS         the guest's names of these ports
#   ARCH_WORDS        words for the kernel's command line
#   ARCH_IOMMU        the default IOMMU of a guest
#
# and if a cross compiler is needed, or else empty:
#
#   ARCH_CROSS        the prefix of its programs
#   ARCH_MAKE         arguments for make
#   ARCH_PACKAGES     its packages
arch_set() {
	ARCH=$1 ARCH_CROSS='' ARCH_MAKE=() ARCH_PACKAGES=()
	case $ARCH in
	amd64)
		ARCH_KERNEL=x86 ARCH_IMAGE=boot/bzImage ARCH_GNU=x86_64-linux-gnu
		ARCH_QEMU=qemu-system-x86_64 ARCH_QEMU_PACKAGE=qemu-system-x86
		# With 5-level page tables, KASAN endlessly reports wild accesses on a timer
		# interrupt in identify_cpu(): 2 of some 30 boots of 7.3 on a busy machine
		ARCH_MACHINE=q35,kernel-irqchip=split ARCH_CPU=max,la57=off
		ARCH_SERIAL=(-serial chardev:console -serial chardev:tap -serial chardev:log)
		ARCH_TTYS=(ttyS0 ttyS1 ttyS2)
		# On a busy host, a guest under TCG may be slow enough for the timer check
		# to panic
		ARCH_WORDS=no_timer_check ARCH_IOMMU=intel
		;;
	arm64)
		ARCH_KERNEL=arm64 ARCH_IMAGE=boot/Image ARCH_GNU=aarch64-linux-gnu
		ARCH_QEMU=qemu-system-aarch64 ARCH_QEMU_PACKAGE=qemu-system-arm
		# "max" has pointer authentication, which makes TCG three times slower
		ARCH_MACHINE=virt,gic-version=3 ARCH_CPU=cortex-a57
		# The machine has only one UART. In the last slot, the card does not change the
		# addresses of the other devices
		ARCH_SERIAL=(-serial chardev:console
			-device 'pci-serial-2x,chardev1=tap,chardev2=log,addr=1f.0')
		ARCH_TTYS=(ttyAMA0 ttyS0 ttyS1)
		ARCH_WORDS='' ARCH_IOMMU=smmuv3
		;;
	*) die "unknown architecture $ARCH: amd64 and arm64 are known" ;;
	esac
	[[ $ARCH != "$(dpkg --print-architecture)" ]] || return 0
	ARCH_CROSS=$ARCH_GNU-
	ARCH_MAKE=(ARCH="$ARCH_KERNEL" CROSS_COMPILE="$ARCH_CROSS")
	ARCH_PACKAGES=("gcc-${ARCH_GNU//_/-}" "libc6-dev-$ARCH-cross")
}
