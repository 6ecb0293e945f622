# SPDX-License-Identifier: GPL-2.0
#
# VFIO's containers are an option since 6.2. Before that, VFIO always has them.
ifeq ($(VERSION).$(PATCHLEVEL),6.1)
ifneq ($(CONFIG_VFIO),)
CONFIG_VFIO_CONTAINER := y
ccflags-y += -DCONFIG_VFIO_CONTAINER=1
endif
endif
