// SPDX-License-Identifier: GPL-2.0
#include <sys/ioctl.h>

#include "iommufd.h"
#include "iommufd_abi.h"

/* Create a page table in the fixture's iommufd that maps page 1 of the arena at ADDRESS. */
__u32 make_ioas(struct fixture *fixture)
{
	struct abi_ioas_alloc alloc = { .size = sizeof(alloc) };
	struct abi_ioas_map map = {
		.size = sizeof(map),
		.flags = ABI_FIXED_READ_WRITE,
		.address = caller(page(fixture, 1)),
		.length = WDM_PAGE_SIZE,
		.iova = ADDRESS,
	};

	REQUIRE(!ioctl(fixture->device->iommufd, ABI_IOAS_ALLOC, &alloc));
	map.ioas = alloc.ioas;
	REQUIRE(!ioctl(fixture->device->iommufd, ABI_IOAS_MAP, &map));
	return alloc.ioas;
}

/* Attach a device to a page table; an errno, or 0. */
int attach_pt(const struct wdm_vfio_device *device, __u32 ioas)
{
	struct abi_attach_pt attach = { .argsz = sizeof(attach), .id = ioas };

	return ioctl(device->fd, ABI_ATTACH_PT, &attach) ? errno : 0;
}

int detach_pt(const struct wdm_vfio_device *device)
{
	struct abi_detach_pt detach = { .argsz = sizeof(detach) };

	return ioctl(device->fd, ABI_DETACH_PT, &detach) ? errno : 0;
}
