// SPDX-License-Identifier: GPL-2.0
/*
 * VFIO type1, through a container. It pins in every map.
 */
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "bench.h"

static const char *type1_missing(void)
{
	const char *reason = NULL;
	int container;

	if (iommu_is_null())
		return "it asks the IOMMU what to unpin, and this one does not know";
	container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	if (container < 0)
		return "there is no /dev/vfio/vfio";
	if (ioctl(container, VFIO_CHECK_EXTENSION, VFIO_TYPE1v2_IOMMU) != 1)
		reason = "VFIO has no type1 backend";
	close(container);
	return reason;
}

/* A domain needs only the group, not the device file. */
static void type1_start(struct session *session)
{
	char path[32];

	session->fd = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC);
	snprintf(path, sizeof(path), "/dev/vfio/%d", wdm_pci_group(options.bdf));
	session->group = open(path, O_RDWR | O_CLOEXEC);
	if (session->fd < 0 || session->group < 0)
		err(1, "type1: open %s", path);
	if (ioctl(session->group, VFIO_GROUP_SET_CONTAINER, &session->fd))
		err(1, "type1: put the group into the container");
	if (ioctl(session->fd, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
		err(1, "type1: set the IOMMU");
}

static void type1_pin(struct session *session)
{
	(void)session;
}

static void type1_map(struct session *session, size_t page, size_t pages, __u64 iova)
{
	struct vfio_iommu_type1_dma_map map = {
		.argsz = sizeof(map),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.vaddr = (uintptr_t)session->memory->start + page * PAGE,
		.iova = iova,
		.size = pages * PAGE,
	};

	if (ioctl(session->fd, VFIO_IOMMU_MAP_DMA, &map))
		err(1, "type1: map");
}

static void type1_unmap(struct session *session, __u64 iova, size_t pages)
{
	struct vfio_iommu_type1_dma_unmap unmap = {
		.argsz = sizeof(unmap),
		.iova = iova,
		.size = pages * PAGE,
	};

	if (ioctl(session->fd, VFIO_IOMMU_UNMAP_DMA, &unmap))
		err(1, "type1: unmap");
	if (unmap.size != pages * PAGE)
		errx(1, "type1: unmapped %llu bytes", (unsigned long long)unmap.size);
}

static void type1_finish(struct session *session)
{
	if (session->group >= 0)
		close(session->group);
	if (session->fd >= 0)
		close(session->fd);
	session->group = -1;
	session->fd = -1;
}

static __u64 type1_teardown(struct session *session, const struct wdm_bench_page *list,
			    size_t number)
{
	__u64 start = now_ns();

	(void)list;
	(void)number;
	type1_finish(session);
	return now_ns() - start;
}

const struct contender type1 = {
	.name = "type1",
	.bit = TYPE1,
	.missing = type1_missing,
	.start = type1_start,
	.pin = type1_pin,
	.map = type1_map,
	.unmap = type1_unmap,
	.teardown = type1_teardown,
	.finish = type1_finish,
};
