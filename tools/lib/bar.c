// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * BARs and the expansion ROM: mapped where VFIO allows it, read and written through the
 * device's file elsewhere.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vfio_device.h"

static bool get_info(const struct wdm_vfio_device *device, struct vfio_region_info *info)
{
	return !ioctl(device->fd, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* The same with its capabilities, for free() */
static struct vfio_region_info *get_long_info(const struct wdm_vfio_device *device,
					      unsigned int index, __u32 size)
{
	struct vfio_region_info *info = calloc(1, size);

	if (!info)
		return NULL;
	info->argsz = size;
	info->index = index;
	if (get_info(device, info) && info->argsz <= size)
		return info;
	free(info);
	return NULL;
}

static const struct vfio_region_info_cap_sparse_mmap *find_sparse(const void *info, __u32 size,
								  __u32 offset)
{
	const struct vfio_region_info_cap_sparse_mmap *sparse;
	const struct vfio_info_cap_header *header;

	while (offset && offset <= size - sizeof(*sparse)) {
		header = (const void *)((const char *)info + offset);
		sparse = (const void *)header;
		if (header->id == VFIO_REGION_INFO_CAP_SPARSE_MMAP)
			return sparse->nr_areas <= (size - offset - sizeof(*sparse)) /
						   sizeof(sparse->areas[0]) ? sparse : NULL;
		/* Capabilities follow each other. */
		if (header->next <= offset)
			return NULL;
		offset = header->next;
	}
	return NULL;
}

static bool set_areas(struct wdm_region *region, const struct vfio_region_sparse_mmap_area *areas,
		      __u32 number)
{
	region->areas = calloc(number, sizeof(*region->areas));
	if (!region->areas && number)
		return false;
	for (__u32 i = 0; i < number; i++) {
		/* A driver may leave an empty area where nothing can be mapped. */
		if (!areas[i].size || areas[i].offset > region->size ||
		    areas[i].size > region->size - areas[i].offset)
			continue;
		region->areas[region->number].offset = areas[i].offset;
		region->areas[region->number].size = areas[i].size;
		region->number++;
	}
	return true;
}

bool wdm__region_fill(struct wdm_region *region, const struct vfio_region_info *info)
{
	const struct vfio_region_sparse_mmap_area whole = { .size = info->size };
	const struct vfio_region_info_cap_sparse_mmap *sparse = NULL;

	region->size = info->size;
	region->offset = info->offset;
	region->flags = info->flags;
	if (!info->size || !(info->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return true;
	if (info->flags & VFIO_REGION_INFO_FLAG_CAPS)
		sparse = find_sparse(info, info->argsz, info->cap_offset);
	return sparse ? set_areas(region, sparse->areas, sparse->nr_areas) :
			set_areas(region, &whole, 1);
}

/* What VFIO says about a region is asked once. The lock is held. */
static struct wdm_region *learn(struct wdm_vfio_device *device, unsigned int index)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = index };
	struct wdm_region *region = &device->regions[index];
	struct vfio_region_info *all;
	bool filled;

	if (device->known & 1U << index)
		return region;
	if (!get_info(device, &info))
		return NULL;
	all = get_long_info(device, index, info.argsz);
	if (!all)
		return NULL;
	filled = wdm__region_fill(region, all);
	free(all);
	if (!filled)
		return NULL;
	device->known |= 1U << index;
	return region;
}

static struct wdm_region *find_region(struct wdm_vfio_device *device, unsigned int index,
				      struct wdm_error *error)
{
	struct wdm_region *region;

	if (index >= WDM_REGIONS) {
		wdm__fail(error, EINVAL, "", "there is no BAR %u: 0 to 5 are BARs, 6 is the ROM",
			  index);
		return NULL;
	}
	pthread_mutex_lock(&device->lock);
	region = learn(device, index);
	pthread_mutex_unlock(&device->lock);
	if (!region)
		wdm__fail_errno(error, "", "cannot ask VFIO about BAR %u", index);
	return region;
}

/* The region, if it has these bytes */
static struct wdm_region *find_range(struct wdm_vfio_device *device, unsigned int index,
				     __u64 offset, __u64 length, struct wdm_error *error)
{
	struct wdm_region *region = find_region(device, index, error);

	if (!region || (offset <= region->size && length <= region->size - offset))
		return region;
	wdm__fail(error, ERANGE, "", region->size ?
		  "BAR %u has %llu bytes, and not %llu at offset %#llx" :
		  "the device has no BAR %u", index, region->size, length, offset);
	return NULL;
}

static struct wdm_area *find_area(const struct wdm_region *region, __u64 offset, __u64 length)
{
	for (__u32 i = 0; i < region->number; i++) {
		struct wdm_area *area = &region->areas[i];

		if (offset >= area->offset && length <= area->size &&
		    offset - area->offset <= area->size - length)
			return area;
	}
	return NULL;
}

static bool map_area(struct wdm_vfio_device *device, const struct wdm_region *region,
		     struct wdm_area *area)
{
	int protection = 0;
	void *memory;

	if (area->memory)
		return true;
	if (region->flags & VFIO_REGION_INFO_FLAG_READ)
		protection |= PROT_READ;
	if (region->flags & VFIO_REGION_INFO_FLAG_WRITE)
		protection |= PROT_WRITE;
	memory = mmap(NULL, area->size, protection, MAP_SHARED, device->fd,
		      region->offset + area->offset);
	if (memory == MAP_FAILED)
		return false;
	__atomic_store_n(&area->memory, memory, __ATOMIC_RELEASE);
	return true;
}

/**
 * wdm_bar_info() - what a BAR is like
 * @device: the device
 * @index: 0 to 5; 6: the expansion ROM
 * @info: the answer
 * @error: what went wrong; may be NULL
 *
 * Context: any thread.
 *
 * Return: whether it worked; it does for a BAR that the device does not have, whose size
 * is 0.
 */
bool wdm_bar_info(struct wdm_vfio_device *device, unsigned int index, struct wdm_bar_info *info,
		  struct wdm_error *error)
{
	const struct wdm_region *region = find_region(device, index, error);
	__u32 bar = 0;

	if (!region)
		return false;
	*info = (struct wdm_bar_info) { .size = region->size };
	if (!region->size)
		return true;
	if (region->flags & VFIO_REGION_INFO_FLAG_READ)
		info->flags |= WDM_BAR_READ;
	if (region->flags & VFIO_REGION_INFO_FLAG_WRITE)
		info->flags |= WDM_BAR_WRITE;
	if (region->number)
		info->flags |= WDM_BAR_MAP;
	if (index == VFIO_PCI_ROM_REGION_INDEX)
		return true;
	if (!wdm_config_read32(device, PCI_BASE_ADDRESS_0 + 4 * index, &bar, error))
		return false;
	if (bar & PCI_BASE_ADDRESS_SPACE_IO)
		info->flags |= WDM_BAR_PORTS;
	else if (bar & PCI_BASE_ADDRESS_MEM_TYPE_64)
		info->flags |= WDM_BAR_64;
	if (!(bar & PCI_BASE_ADDRESS_SPACE_IO) && bar & PCI_BASE_ADDRESS_MEM_PREFETCH)
		info->flags |= WDM_BAR_PREFETCH;
	return true;
}

/**
 * wdm_bar_area() - a part of a BAR that can be mapped
 * @device: the device
 * @index: the BAR
 * @number: which part, from 0 on, in the order of VFIO
 * @offset: where it starts
 * @length: its bytes
 *
 * Most BARs have one such part, which is all of it. Of others, VFIO leaves out what it must
 * emulate, or what is smaller than a page.
 *
 * Context: any thread.
 *
 * Return: whether there is such a part.
 */
bool wdm_bar_area(struct wdm_vfio_device *device, unsigned int index, unsigned int number,
		  __u64 *offset, __u64 *length)
{
	const struct wdm_region *region = find_region(device, index, NULL);

	if (!region || number >= region->number)
		return false;
	*offset = region->areas[number].offset;
	*length = region->areas[number].size;
	return true;
}

/**
 * wdm_bar_map() - map a BAR, or a part of it
 * @device: the device
 * @index: the BAR
 * @offset: where to start; any number
 * @length: bytes; 0: all the rest of the BAR
 * @error: what went wrong; may be NULL
 *
 * The memory belongs to @device: it is unmapped by wdm_bar_unmap() and wdm_vfio_close(), and
 * a further call for the same bytes returns the same address. Accesses must be of the width
 * that the device expects, through a pointer to volatile. While the device's memory decoding
 * is off, they end in SIGBUS.
 *
 * Context: any thread.
 *
 * Return: the address; NULL with errno: ENXIO if this part cannot be mapped, as is the case
 * with I/O ports, which wdm_bar_read() and wdm_bar_write() access.
 */
void *wdm_bar_map(struct wdm_vfio_device *device, unsigned int index, __u64 offset,
		  __u64 length, struct wdm_error *error)
{
	struct wdm_region *region = find_range(device, index, offset, length, error);
	struct wdm_area *area;
	bool mapped;

	if (!region)
		return NULL;
	if (!length)
		length = region->size - offset;
	area = length ? find_area(region, offset, length) : NULL;
	if (!area) {
		wdm__fail(error, ENXIO, region->size ? "Use wdm_bar_read(), wdm_bar_write()" : "",
			  region->size ? "this part of BAR %u cannot be mapped" :
					 "the device has no BAR %u", index);
		return NULL;
	}
	pthread_mutex_lock(&device->lock);
	mapped = map_area(device, region, area);
	pthread_mutex_unlock(&device->lock);
	if (mapped)
		return (char *)area->memory + (offset - area->offset);
	wdm__fail_errno(error, "", "cannot map BAR %u", index);
	return NULL;
}

/**
 * wdm_bar_unmap() - unmap what was mapped of a BAR
 * @device: the device
 * @index: the BAR; a number that is none is ignored
 *
 * A mapping keeps the device's file open. No thread may be using the BAR.
 */
void wdm_bar_unmap(struct wdm_vfio_device *device, unsigned int index)
{
	if (index >= WDM_REGIONS)
		return;
	pthread_mutex_lock(&device->lock);
	for (__u32 i = 0; i < device->regions[index].number; i++) {
		struct wdm_area *area = &device->regions[index].areas[i];

		if (area->memory)
			munmap(area->memory, area->size);
		area->memory = NULL;
	}
	pthread_mutex_unlock(&device->lock);
}

/* Atomic: one access, which the compiler neither splits nor leaves out */
static void load(void *value, const void *from, size_t width)
{
	switch (width) {
	case 1:
		*(__u8 *)value = __atomic_load_n((const __u8 *)from, __ATOMIC_RELAXED);
		break;
	case 2:
		*(__u16 *)value = __atomic_load_n((const __u16 *)from, __ATOMIC_RELAXED);
		break;
	case 4:
		*(__u32 *)value = __atomic_load_n((const __u32 *)from, __ATOMIC_RELAXED);
		break;
	default:
		*(__u64 *)value = __atomic_load_n((const __u64 *)from, __ATOMIC_RELAXED);
	}
}

static void store(const void *value, void *to, size_t width)
{
	switch (width) {
	case 1:
		__atomic_store_n((__u8 *)to, *(const __u8 *)value, __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_store_n((__u16 *)to, *(const __u16 *)value, __ATOMIC_RELAXED);
		break;
	case 4:
		__atomic_store_n((__u32 *)to, *(const __u32 *)value, __ATOMIC_RELAXED);
		break;
	default:
		__atomic_store_n((__u64 *)to, *(const __u64 *)value, __ATOMIC_RELAXED);
	}
}

/* The address of a register that is mapped, NULL if it is not */
static void *mapped_register(const struct wdm_region *region, __u64 offset, size_t width)
{
	struct wdm_area *area = find_area(region, offset, width);
	char *memory = area ? __atomic_load_n(&area->memory, __ATOMIC_ACQUIRE) : NULL;

	return memory ? memory + (offset - area->offset) : NULL;
}

bool wdm__good_width(__u64 offset, size_t width, struct wdm_error *error)
{
	if ((width == 1 || width == 2 || width == 4 || width == 8) && !(offset % width))
		return true;
	return wdm__fail(error, EINVAL, "",
			 "cannot access %zu bytes at offset %#llx, but 1, 2, 4 or 8, aligned",
			 width, offset);
}

/* The region of a register, and the register's address if it is mapped for the access */
static struct wdm_region *find_register(struct wdm_vfio_device *device, unsigned int index,
					__u64 offset, size_t width, __u32 access, void **mapped,
					struct wdm_error *error)
{
	struct wdm_region *region;

	if (!wdm__good_width(offset, width, error))
		return NULL;
	region = find_range(device, index, offset, width, error);
	if (region)
		*mapped = region->flags & access ? mapped_register(region, offset, width) : NULL;
	return region;
}

/**
 * wdm_bar_read() - read a register
 * @device: the device
 * @index: the BAR
 * @offset: of the register; a multiple of @width
 * @value: where to; in the CPU's byte order
 * @width: 1, 2, 4 or 8 bytes
 * @error: what went wrong; may be NULL
 *
 * wdm_bar_read8() to wdm_bar_read64() are the same for a width each. Reads what is mapped
 * directly, and the rest through VFIO, where a kernel may make two accesses out of one of
 * 8 bytes.
 *
 * Context: any thread.
 *
 * Return: whether it worked.
 */
bool wdm_bar_read(struct wdm_vfio_device *device, unsigned int index, __u64 offset,
		  void *value, size_t width, struct wdm_error *error)
{
	void *mapped;
	struct wdm_region *region = find_register(device, index, offset, width,
						  VFIO_REGION_INFO_FLAG_READ, &mapped, error);

	if (!region)
		return false;
	if (!mapped)
		return wdm__pread(device, value, width, region->offset + offset, error);
	load(value, mapped, width);
	return true;
}

/**
 * wdm_bar_write() - write a register
 * @device: the device
 * @index: the BAR
 * @offset: of the register; a multiple of @width
 * @value: what to write; in the CPU's byte order
 * @width: 1, 2, 4 or 8 bytes
 * @error: what went wrong; may be NULL
 *
 * As wdm_bar_read(), with wdm_bar_write8() to wdm_bar_write64(). Later accesses of the
 * device may overtake memory that was written before: a barrier, such as
 * atomic_thread_fence(), belongs between a descriptor and its doorbell.
 *
 * Context: any thread.
 *
 * Return: whether it worked.
 */
bool wdm_bar_write(struct wdm_vfio_device *device, unsigned int index, __u64 offset,
		   const void *value, size_t width, struct wdm_error *error)
{
	void *mapped;
	struct wdm_region *region = find_register(device, index, offset, width,
						  VFIO_REGION_INFO_FLAG_WRITE, &mapped, error);

	if (!region)
		return false;
	if (!mapped)
		return wdm__pwrite(device, value, width, region->offset + offset, error);
	store(value, mapped, width);
	return true;
}
