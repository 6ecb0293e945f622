// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * BARs and the expansion ROM: mapped where VFIO allows it, otherwise accessed through the
 * device's file.
 */
#include <errno.h>
#include <stdint.h>
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

/* Get the region info with its capabilities, for free(). */
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
		/* Walk the chain of capabilities. */
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
		/* A driver may report an empty area if nothing can be mapped. */
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

/* Get a region's info from VFIO, once. Called with the lock held. */
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
		wdm__fail_errno(error, "", "cannot query BAR %u", index);
	return region;
}

/* Get a region, if it contains these bytes. */
static struct wdm_region *find_range(struct wdm_vfio_device *device, unsigned int index,
				     __u64 offset, __u64 length, struct wdm_error *error)
{
	struct wdm_region *region = find_region(device, index, error);

	if (!region || (offset <= region->size && length <= region->size - offset))
		return region;
	wdm__fail(error, ERANGE, "", region->size ?
		  "BAR %u has %llu bytes: %llu bytes at offset %#llx exceed it" :
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
	if (area->size > SIZE_MAX) {
		errno = EOVERFLOW;
		return false;
	}
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
 * wdm_bar_info() - Get the properties of a BAR
 * @device: the device
 * @index: 0 to 5; 6: the expansion ROM
 * @info: out: the properties
 * @error: out: description of a failure; may be NULL
 *
 * Context: any thread.
 *
 * Return: true on success, which includes a BAR that the device does not have, of size 0.
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
 * wdm_bar_area() - Get a part of a BAR that can be mapped
 * @device: the device
 * @index: the BAR
 * @number: index of the part, in VFIO's order
 * @offset: out: offset of the part in the BAR, in bytes
 * @length: out: length in bytes
 *
 * Most BARs have one such part, which is all of the BAR. VFIO excludes what it has to
 * emulate, and what is smaller than a page.
 *
 * Context: any thread.
 *
 * Return: true if there is such a part.
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
 * wdm_bar_map() - Map a BAR, or part of it
 * @device: the device
 * @index: the BAR
 * @offset: first byte to map; need not be aligned
 * @length: number of bytes; 0: up to the end of the BAR
 * @error: out: description of a failure; may be NULL
 *
 * The mapping belongs to @device: wdm_bar_unmap() and wdm_vfio_close() remove it, and another
 * call for the same bytes returns the same address. Access it with the width that the device
 * expects, through a pointer to volatile. While the device's memory decoding is off, accesses
 * raise SIGBUS.
 *
 * Context: any thread.
 *
 * Return: the address; NULL with errno, ENXIO if this part cannot be mapped. I/O ports never
 * can; use wdm_bar_read() and wdm_bar_write() for them.
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
 * wdm_bar_unmap() - Remove all mappings of a BAR
 * @device: the device
 * @index: the BAR; an invalid index is ignored
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

/* Atomic: a single access, which the compiler can neither split nor drop */
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

/* Get the address of a mapped register; NULL if it is not mapped. */
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
			 "cannot access %zu bytes at offset %#llx: use 1, 2, 4 or 8 bytes, aligned",
			 width, offset);
}

/* Get the region of a register, and its address if it is mapped for this access. */
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
 * wdm_bar_read() - Read a register
 * @device: the device
 * @index: the BAR
 * @offset: offset of the register in bytes; a multiple of @width
 * @value: out: the value, in the CPU's byte order
 * @width: 1, 2, 4 or 8 bytes
 * @error: out: description of a failure; may be NULL
 *
 * wdm_bar_read8() to wdm_bar_read64() are variants with a fixed width. A mapped register is
 * read directly, any other through VFIO, where a kernel may split an access of 8 bytes.
 *
 * Context: any thread.
 *
 * Return: true on success.
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
 * wdm_bar_write() - Write a register
 * @device: the device
 * @index: the BAR
 * @offset: offset of the register in bytes; a multiple of @width
 * @value: the value, in the CPU's byte order
 * @width: 1, 2, 4 or 8 bytes
 * @error: out: description of a failure; may be NULL
 *
 * Same as wdm_bar_read(), with wdm_bar_write8() to wdm_bar_write64(). The write may become
 * visible to the device before earlier stores to memory: put a barrier, such as
 * atomic_thread_fence(), between a descriptor and its doorbell.
 *
 * Context: any thread.
 *
 * Return: true on success.
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
