# SPDX-License-Identifier: GPL-2.0
#
# Commands for developers and administrators. The kernel's build system reads Kbuild,
# not this file.

KDIR ?= /lib/modules/$(or $(KVER),$(shell uname -r))/build
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
	scripts/matrix

bench:
	scripts/bench

results:
	scripts/bench --results

lint:
	scripts/lint

docs:
	scripts/docs

dist:
	scripts/dist

deb:
	scripts/deb

# DKMS rebuilds the module for every kernel that is installed later
install:
	scripts/install $(if $(KVER),--kernel $(KVER)) $(if $(DESTDIR),--destdir $(DESTDIR))

uninstall:
	scripts/install --uninstall $(if $(DESTDIR),--destdir $(DESTDIR))

# Without DKMS; the kernel's build system knows INSTALL_MOD_PATH
modules_install: module
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

clean:
	if [ -e $(KDIR) ]; then $(MAKE) -C $(KDIR) M=$(CURDIR) clean; fi
	scripts/clean

distclean: clean
	scripts/clean --all

help:
	@echo 'make            build the module for the running kernel, KVER=..., or a tree KDIR=...'
	@echo 'make tools      build the programs and the library into build/tools'
	@echo 'make demo       run the demo in a VM'
	@echo 'make test       run the tests; see scripts/test --help to run some of them'
	@echo 'make matrix     run all tests, on all kernels and IOMMUs (hours), and say so in README.md'
	@echo 'make bench      compare it with VFIO type1 and iommufd, in VMs'
	@echo 'make results    copy the results of make bench to docs/results'
	@echo 'make lint       check the style and run the static checkers'
	@echo 'make docs       make HTML and manual pages of the documentation, in build/docs'
	@echo 'make dist       make the release tarball, build/dist/wdm-iommu-$(VERSION).tar.xz'
	@echo 'make deb        build Debian packages in build/deb, in a Debian of their own (as root)'
	@echo 'make install    install the module through DKMS, the udev rule and the group (as root),'
	@echo '                for every kernel that has headers, or for KVER=...; DESTDIR=... only'
	@echo '                copies files'
	@echo 'make uninstall  remove all of it but the group'
	@echo 'make modules_install'
	@echo '                install the module without DKMS, below INSTALL_MOD_PATH=...'
	@echo 'make clean      remove what was built, but not the kernels and the results of make matrix'
	@echo 'make distclean  remove these, too, and what was downloaded'

.PHONY: all module tools demo test matrix bench results lint docs dist deb install uninstall modules_install clean distclean help
