# SPDX-License-Identifier: GPL-2.0
#
# For people. The kernel's build reads Kbuild and never comes here.

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

bench:
	scripts/bench

lint:
	scripts/lint

# DKMS builds the module again for every kernel that is installed later
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

# Kernels and packages that were fetched or built stay; "rm -rf build" takes them too
clean:
	if [ -e $(KDIR) ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	rm -rf build/module build/tools build/dkms build/logs build/bench

help:
	@echo 'make            build the module for the running kernel, or for KDIR=...'
	@echo 'make tools      build the programs and the library into build/tools'
	@echo 'make demo       show it in a VM'
	@echo 'make test       run all tests; scripts/test --help tells how to run some'
	@echo 'make bench      measure it beside VFIO and iommufd, in VMs'
	@echo 'make lint       check the style and let the static checkers look'
	@echo 'make install    install the module through DKMS, and the udev rule'
	@echo 'make uninstall  take both away again'
	@echo 'make clean      remove what was built, but for the kernels in build/'

.PHONY: all module tools demo test bench lint install uninstall clean help
