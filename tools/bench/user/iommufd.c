// SPDX-License-Identifier: GPL-2.0
/*
 * iommufd, which has two ways to map memory: IOAS_MAP of user memory, and IOAS_COPY
 * from another IOAS. The other IOAS has a page table without a device, as an IOAS
 * without a page table does not pin its memory.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"
#include "iommufd_abi.h"

/* Find the VFIO character device of a PCI device. */
static bool find_cdev(char *path, size_t size)
{
	char folder[128];
	struct dirent *entry;
	bool found = false;
	DIR *directory;

	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s/vfio-dev", options.bdf);
	directory = opendir(folder);
	if (!directory)
		return false;
	while (!found && (entry = readdir(directory))) {
		found = !strncmp(entry->d_name, "vfio", 4);
		if (found)
			snprintf(path, size, "/dev/vfio/devices/%.32s", entry->d_name);
	}
	closedir(directory);
	return found;
}

static const char *iommufd_missing(void)
{
	char path[64];

	if (iommu_is_null())
		return "it asks the IOMMU what to unpin, and this one does not know";
	if (access("/dev/iommu", R_OK | W_OK))
		return "this kernel has no iommufd";
	if (!find_cdev(path, sizeof(path)))
		return "this kernel has no VFIO character devices";
	return NULL;
}

static __u32 ioas_alloc(struct session *session)
{
	struct abi_ioas_alloc alloc = { .size = sizeof(alloc) };

	if (ioctl(session->fd, ABI_IOAS_ALLOC, &alloc))
		err(1, "iommufd: allocate an IOAS");
	return alloc.ioas;
}

static void iommufd_start(struct session *session)
{
	struct abi_bind_iommufd bind = { .argsz = sizeof(bind) };
	char path[64];

	if (!find_cdev(path, sizeof(path)))
		errx(1, "iommufd: the device is gone");
	session->fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	session->device = open(path, O_RDWR | O_CLOEXEC);
	if (session->fd < 0 || session->device < 0)
		err(1, "iommufd: open %s", path);
	bind.iommufd = session->fd;
	if (ioctl(session->device, ABI_BIND_IOMMUFD, &bind))
		err(1, "iommufd: bind the device");
	session->device_id = bind.device;
	session->ioas = ioas_alloc(session);
}

static void iommufd_attach(struct session *session)
{
	struct abi_attach_pt attach = { .argsz = sizeof(attach), .id = session->ioas };

	if (ioctl(session->device, ABI_ATTACH_PT, &attach))
		err(1, "iommufd: attach the device");
}

static void iommufd_pin(struct session *session)
{
	(void)session;
}

static void ioas_map(struct session *session, __u32 ioas, size_t page, size_t pages, __u64 iova)
{
	struct abi_ioas_map map = {
		.size = sizeof(map),
		.flags = ABI_FIXED_READ_WRITE,
		.ioas = ioas,
		.address = (uintptr_t)session->memory->start + page * PAGE,
		.length = pages * PAGE,
		.iova = iova,
	};

	if (ioctl(session->fd, ABI_IOAS_MAP, &map))
		err(1, "iommufd: map");
}

static void ioas_unmap(struct session *session, __u32 ioas, __u64 iova, size_t pages)
{
	struct abi_ioas_unmap unmap = {
		.size = sizeof(unmap),
		.ioas = ioas,
		.iova = iova,
		.length = pages * PAGE,
	};

	if (ioctl(session->fd, ABI_IOAS_UNMAP, &unmap))
		err(1, "iommufd: unmap");
	if (unmap.length != pages * PAGE)
		errx(1, "iommufd: unmapped %llu bytes", (unsigned long long)unmap.length);
}

static void iommufd_map(struct session *session, size_t page, size_t pages, __u64 iova)
{
	ioas_map(session, session->ioas, page, pages, iova);
}

static void iommufd_unmap(struct session *session, __u64 iova, size_t pages)
{
	ioas_unmap(session, session->ioas, iova, pages);
}

static void destroy(struct session *session, __u32 id)
{
	struct abi_destroy destroy = { .size = sizeof(destroy), .id = id };

	if (ioctl(session->fd, ABI_DESTROY, &destroy))
		err(1, "iommufd: take an object away");
}

/*
 * Do what closing the files does, without the reset of the device, which takes long
 * and is part of VFIO.
 */
static __u64 iommufd_teardown(struct session *session, const struct wdm_bench_page *list,
			      size_t number)
{
	struct abi_detach_pt detach = { .argsz = sizeof(detach) };
	__u64 start = now_ns();

	(void)list;
	(void)number;
	if (ioctl(session->device, ABI_DETACH_PT, &detach))
		err(1, "iommufd: detach the device");
	destroy(session, session->ioas);
	if (session->source_hwpt)
		destroy(session, session->source_hwpt);
	if (session->source)
		destroy(session, session->source);
	return now_ns() - start;
}

static void iommufd_finish(struct session *session)
{
	close(session->device);
	close(session->fd);
}

const struct contender iommufd = {
	.name = "iommufd",
	.bit = IOMMUFD,
	.missing = iommufd_missing,
	.start = iommufd_start,
	.attach = iommufd_attach,
	.pin = iommufd_pin,
	.map = iommufd_map,
	.unmap = iommufd_unmap,
	.teardown = iommufd_teardown,
	.finish = iommufd_finish,
};

static void copy_pin(struct session *session)
{
	struct abi_hwpt_alloc alloc = { .size = sizeof(alloc), .device = session->device_id };

	session->source = ioas_alloc(session);
	if (session->heat == COLD)
		return;
	alloc.parent = session->source;
	if (ioctl(session->fd, ABI_HWPT_ALLOC, &alloc))
		err(1, "copy: allocate a page table");
	session->source_hwpt = alloc.hwpt;
	ioas_map(session, session->source, 0, session->memory->pages, IOVA_BASE);
}

static void copy_map(struct session *session, size_t page, size_t pages, __u64 iova)
{
	struct abi_ioas_copy argument = {
		.size = sizeof(argument),
		.flags = ABI_FIXED_READ_WRITE,
		.to_ioas = session->ioas,
		.from_ioas = session->source,
		.length = pages * PAGE,
		.to_iova = iova,
		.from_iova = IOVA_BASE + page * PAGE,
	};

	if (session->heat == COLD)
		ioas_map(session, session->source, page, pages, argument.from_iova);
	if (ioctl(session->fd, ABI_IOAS_COPY, &argument))
		err(1, "copy: copy");
}

/* A cold copy also unmaps the source, which maps all of the memory at IOVA_BASE */
static void copy_unmap(struct session *session, __u64 iova, size_t pages)
{
	ioas_unmap(session, session->ioas, iova, pages);
	if (session->heat == COLD)
		ioas_unmap(session, session->source, IOVA_BASE, pages);
}

const struct contender copy = {
	.name = "copy",
	.bit = COPY,
	.missing = iommufd_missing,
	.start = iommufd_start,
	.attach = iommufd_attach,
	.pin = copy_pin,
	.map = copy_map,
	.unmap = copy_unmap,
	.teardown = iommufd_teardown,
	.finish = iommufd_finish,
};
