# SPDX-License-Identifier: GPL-2.0
#
# Commands for developers and administrators. The kernel's build system reads Kbuild,
# not this file.

KDIR ?= /lib/modules/$(shell uname -r)/build
VERSION := $(shell cat VERSION)

all: module

module:
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tools:
	scripts/tools

demo:
	scripts/demo

test:
	scripts/test

matrix:
	scripts/test --all

bench:
	scripts/bench

results:
	scripts/bench --results

lint:
	scripts/lint

dist:
	scripts/dist

# DKMS rebuilds the module for every kernel that is installed later
install:
	scripts/dkms-source /usr/src
	dkms add wdm-iommu/$(VERSION)
	dkms install wdm-iommu/$(VERSION)
	getent group wdm-iommu >/dev/null || groupadd --system wdm-iommu
	install -D -m 644 udev/60-wdm-iommu.rules /etc/udev/rules.d/60-wdm-iommu.rules
	if [ -e /run/udev/control ]; then udevadm control --reload; fi

uninstall:
	dkms remove wdm-iommu/$(VERSION) --all
	rm -rf /usr/src/wdm-iommu-$(VERSION)
	rm -f /etc/udev/rules.d/60-wdm-iommu.rules

# Kernels and packages stay; "rm -rf build" removes them too
clean:
	if [ -e $(KDIR) ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	rm -rf build/module build/tools build/dkms build/package build/dist build/logs build/bench

help:
	@echo 'make            build the module for the running kernel, or for KDIR=...'
	@echo 'make tools      build the programs and the library into build/tools'
	@echo 'make demo       run the demo in a VM'
	@echo 'make test       run the tests; see scripts/test --help to run some of them'
	@echo 'make matrix     run all tests: also KCSAN, and all suites on all kernels (hours)'
	@echo 'make bench      compare it with VFIO type1 and iommufd, in VMs'
	@echo 'make results    copy the results of make bench to docs/results'
	@echo 'make lint       check the style and run the static checkers'
	@echo 'make dist       make the release tarball, build/dist/wdm-iommu-$(VERSION).tar.xz'
	@echo 'make install    install the module through DKMS, and the udev rule (as root)'
	@echo 'make uninstall  remove both'
	@echo 'make clean      remove what was built, but not the kernels in build/'

.PHONY: all module tools demo test matrix bench results lint dist install uninstall clean help
