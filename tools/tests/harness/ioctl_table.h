/* SPDX-License-Identifier: GPL-2.0 */
/*
 * All ioctls of /dev/wdm_iommu in one table, each with arguments that make it succeed, for
 * tests of their common properties.
 */
#ifndef IOCTL_TABLE_H
#define IOCTL_TABLE_H

#include "fixture.h"

/* Object types, as bits */
enum object {
	OBJECT_DOMAIN = 1,
	OBJECT_DEVICE = 2,
	OBJECT_MDL = 4,
	OBJECT_TOKEN = 8,
	OBJECT_PASID = 16,
	OBJECT_ANY = OBJECT_DOMAIN | OBJECT_DEVICE | OBJECT_MDL | OBJECT_TOKEN,
};

#define FIXTURE_PAGES	8

/* Where the OS-managed domain maps pages 0 and 1 */
#define FIXTURE_ADDRESS	0x6000000ULL

/* Address of its token */
#define TOKEN_ADDRESS	0x6800000ULL

/**
 * struct ioctl_objects - objects of each type in one file
 * @fixture: the file; an arena of FIXTURE_PAGES, and its MDL
 * @os: an OS-managed domain, which maps two pages of the arena
 * @caller: a caller-managed domain with the arena in its address space
 * @spare: an unused MDL
 * @token: a token of @os, of FIXTURE_PAGES
 * @memfd: a file of FIXTURE_PAGES
 * @device: an edu device, not attached; 0 if there is none
 */
struct ioctl_objects {
	struct fixture fixture;
	__u32 os;
	__u32 caller;
	__u32 spare;
	__u32 token;
	int memfd;
	__u32 device;
};

/* Any of the argument structures */
union argument {
	struct {
		__u32 size;
		__u32 status;
	};
	struct wdm_iommu_info info;
	struct wdm_iommu_destroy destroy;
	struct wdm_iommu_domain_create domain_create;
	struct wdm_iommu_device_create device_create;
	struct wdm_iommu_attach attach;
	struct wdm_iommu_detach detach;
	struct wdm_iommu_mdl_create mdl_create;
	struct wdm_iommu_map map;
	struct wdm_iommu_unmap unmap;
	struct wdm_iommu_unmap_identity unmap_identity;
	struct wdm_iommu_memory_add memory_add;
	struct wdm_iommu_memory_remove memory_remove;
	struct wdm_iommu_configure configure;
	struct wdm_iommu_flush flush;
	struct wdm_iommu_flush_va_list flush_va_list;
	struct wdm_iommu_query_domain query_domain;
	struct wdm_iommu_query_mappings query_mappings;
	struct wdm_iommu_map_user map_user;
	struct wdm_iommu_batch batch;
	struct wdm_iommu_query_ranges query_ranges;
	struct wdm_iommu_set_fault_reporting set_fault_reporting;
	struct wdm_iommu_query_device query_device;
	struct wdm_iommu_query_input_mappings query_input_mappings;
	struct wdm_iommu_domain_create_ex domain_create_ex;
	struct wdm_iommu_map_ex map_ex;
	struct wdm_iommu_reserve reserve;
	struct wdm_iommu_map_reserved map_reserved;
	struct wdm_iommu_unmap_reserved unmap_reserved;
	struct wdm_iommu_pasid_create pasid_create;
	struct wdm_iommu_pasid_attach pasid_attach;
	struct wdm_iommu_pasid_detach pasid_detach;
	struct wdm_iommu_mdl_create_file mdl_create_file;
};

/**
 * struct ioctl_case - one ioctl
 * @name: its name
 * @request: its number
 * @size: size of its argument
 * @first_size: size of its argument in the first version; 0: unchanged
 * @answer: the status of a correct call, if not success because the machines of the tests
 *	lack something
 * @needs_6_11: it is not supported before Linux 6.11
 * @needs_device: it cannot succeed without a device
 * @changes_nothing: it has no effect even on success
 * @prepare: puts the objects into a state in which the call succeeds, and fills in the
 *	argument, which is zeroed
 * @handles: the members that are handles, up to the first whose type is 0
 * @zero: offsets of members that must be 0, up to the first 0
 */
struct ioctl_case {
	const char *name;
	unsigned long request;
	size_t size;
	size_t first_size;
	__u32 answer;
	bool needs_6_11;
	bool needs_device;
	bool changes_nothing;
	void (*prepare)(struct ioctl_objects *objects, union argument *argument);
	struct {
		size_t offset;
		unsigned int types;
	} handles[3];
	size_t zero[3];
};

extern const struct ioctl_case ioctl_table[];
extern const size_t number_of_ioctls;

/* Get the status of a correct call on this kernel. */
__u32 ioctl_answer(const struct ioctl_case *call);

/**
 * struct state - state that programs can query
 * @locked: locked memory of this process
 * @os: the OS-managed domain
 * @caller: the caller-managed domain
 */
struct state {
	__u64 locked;
	struct wdm_iommu_query_domain os;
	struct wdm_iommu_query_domain caller;
};

/* @with_device: open a device if there is one; its VFIO files stay open for the next call */
void open_objects(struct ioctl_objects *objects, bool with_device);
void close_objects(struct ioctl_objects *objects);
/* Destroy the objects, and check that the file is charged for nothing then. */
void check_nothing_is_left(struct ioctl_objects *objects);
void prepare_call(const struct ioctl_case *call, struct ioctl_objects *objects,
		  union argument *argument);
struct state get_state(const struct ioctl_objects *objects);
bool same_state(const struct state *one, const struct state *other);

#endif
