// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ioctl_table.h"

/* A part of the arena that no domain contains, for calls that add something */
#define FREE_ADDRESS	0x7000000ULL

static const __u64 va_list_of_one[] = { FREE_ADDRESS };
static struct wdm_iommu_mapping some_mappings[4];
static struct wdm_iommu_batch_op one_op;
static struct wdm_iommu_range some_ranges[32];
static struct wdm_iommu_region one_region;

static void prepare_nothing(struct ioctl_objects *objects, union argument *argument)
{
	(void)objects;
	(void)argument;
}

static void prepare_destroy_mdl(struct ioctl_objects *objects, union argument *argument)
{
	argument->destroy.handle = objects->spare;
}

static void prepare_domain_create(struct ioctl_objects *objects, union argument *argument)
{
	(void)objects;
	argument->domain_create.os_managed_page_table = 1;
}

static void prepare_destroy_domain(struct ioctl_objects *objects, union argument *argument)
{
	MUST(wdm_domain_create(objects->fixture.fd, true, 0, &argument->destroy.handle));
}

static void prepare_device_create(struct ioctl_objects *objects, union argument *argument)
{
	MUST(wdm_destroy(objects->fixture.fd, objects->device));
	name_device(objects->fixture.device, &argument->device_create);
}

static void prepare_destroy_device(struct ioctl_objects *objects, union argument *argument)
{
	argument->destroy.handle = objects->device;
}

static void prepare_attach(struct ioctl_objects *objects, union argument *argument)
{
	argument->attach.domain = objects->os;
	argument->attach.device = objects->device;
	argument->attach.mapping_count = 1;
}

static void prepare_detach(struct ioctl_objects *objects, union argument *argument)
{
	MUST(wdm_attach(objects->fixture.fd, objects->os, objects->device));
	argument->detach.device = objects->device;
}

static void prepare_mdl_create(struct ioctl_objects *objects, union argument *argument)
{
	argument->mdl_create.user_va = caller(page(&objects->fixture, 2));
	argument->mdl_create.length = 2 * WDM_PAGE_SIZE;
	argument->mdl_create.access = WDM_RW;
}

static void prepare_mdl_create_file(struct ioctl_objects *objects, union argument *argument)
{
	argument->mdl_create_file.fd = objects->memfd;
	argument->mdl_create_file.offset = WDM_PAGE_SIZE;
	argument->mdl_create_file.length = 2 * WDM_PAGE_SIZE;
	argument->mdl_create_file.access = WDM_RW;
}

static void prepare_map(struct ioctl_objects *objects, union argument *argument)
{
	argument->map.domain = objects->os;
	argument->map.permissions = WDM_RW;
	argument->map.mdl = objects->fixture.mdl;
	argument->map.offset = 2 * WDM_PAGE_SIZE;
	argument->map.length = 2 * WDM_PAGE_SIZE;
	argument->map.logical_address = FREE_ADDRESS;
}

static void prepare_unmap(struct ioctl_objects *objects, union argument *argument)
{
	argument->unmap.domain = objects->os;
	argument->unmap.logical_address = FIXTURE_ADDRESS;
	argument->unmap.length = WDM_PAGE_SIZE;
}

static void prepare_map_identity(struct ioctl_objects *objects, union argument *argument)
{
	prepare_map(objects, argument);
	argument->map.logical_address = 0;
}

static void prepare_unmap_identity(struct ioctl_objects *objects, union argument *argument)
{
	MUST(wdm_map_identity(objects->fixture.fd, objects->os, WDM_RW, objects->fixture.mdl,
			      4 * WDM_PAGE_SIZE, WDM_PAGE_SIZE));
	argument->unmap_identity.domain = objects->os;
	argument->unmap_identity.mdl = objects->fixture.mdl;
	argument->unmap_identity.offset = 4 * WDM_PAGE_SIZE;
	argument->unmap_identity.length = WDM_PAGE_SIZE;
}

static void prepare_memory_add(struct ioctl_objects *objects, union argument *argument)
{
	argument->memory_add.domain = objects->caller;
	argument->memory_add.permissions = WDM_RW;
	argument->memory_add.mdl = objects->fixture.mdl;
	argument->memory_add.caller_address = FREE_ADDRESS;
}

static void prepare_memory_remove(struct ioctl_objects *objects, union argument *argument)
{
	argument->memory_remove.domain = objects->caller;
	argument->memory_remove.caller_address = caller(objects->fixture.arena);
	argument->memory_remove.length = 2 * WDM_PAGE_SIZE;
}

/* Make tables of three levels that translate two pages. */
static void make_tables(struct ioctl_objects *objects, struct wdm_tables *tables)
{
	void *memory = page(&objects->fixture, 4);

	wdm_tables_init(tables, &wdm_format_arm64, 39, memory, 4, caller(memory));
	for (unsigned int i = 0; i < 2; i++) {
		REQUIRE(wdm_tables_map(tables, FREE_ADDRESS + i * WDM_PAGE_SIZE,
				       caller(page(&objects->fixture, i)), WDM_LEVEL_4K, WDM_RW));
	}
}

static void prepare_configure(struct ioctl_objects *objects, union argument *argument)
{
	struct wdm_tables tables;

	make_tables(objects, &tables);
	argument->configure.domain = objects->caller;
	argument->configure.type = WDM_IOMMU_FORMAT_ARM64;
	argument->configure.translation_enabled = 1;
	argument->configure.arm64.ttbr0 = tables.caller_address;
	argument->configure.arm64.input_size0 = 39;
}

/* Configure tables, then change an entry. */
static void change_tables(struct ioctl_objects *objects)
{
	struct wdm_tables tables;

	make_tables(objects, &tables);
	MUST(wdm_tables_configure(&tables, objects->fixture.fd, objects->caller, NULL));
	*wdm_tables_entry(&tables, FREE_ADDRESS, WDM_LEVEL_4K, false) = 0;
}

static void prepare_flush(struct ioctl_objects *objects, union argument *argument)
{
	change_tables(objects);
	argument->flush.domain = objects->caller;
}

static void prepare_flush_va_list(struct ioctl_objects *objects, union argument *argument)
{
	change_tables(objects);
	argument->flush_va_list.domain = objects->caller;
	argument->flush_va_list.number = 1;
	argument->flush_va_list.va_list = caller(va_list_of_one);
}

static void prepare_query_domain(struct ioctl_objects *objects, union argument *argument)
{
	argument->query_domain.domain = objects->os;
}

static void prepare_query_mappings(struct ioctl_objects *objects, union argument *argument)
{
	argument->query_mappings.domain = objects->os;
	argument->query_mappings.number = ARRAY_SIZE(some_mappings);
	argument->query_mappings.mappings = caller(some_mappings);
}

static void prepare_map_user(struct ioctl_objects *objects, union argument *argument)
{
	argument->map_user.domain = objects->os;
	argument->map_user.permissions = WDM_RW;
	argument->map_user.user_va = caller(page(&objects->fixture, 2));
	argument->map_user.length = 2 * WDM_PAGE_SIZE;
	argument->map_user.logical_address = FREE_ADDRESS;
}

/* A batch of one operation: only that has no effect on failure. */
static void prepare_batch(struct ioctl_objects *objects, union argument *argument)
{
	one_op = (struct wdm_iommu_batch_op) {
		.op = WDM_IOMMU_BATCH_MAP,
		.permissions = WDM_RW,
		.mdl = objects->fixture.mdl,
		.offset = 2 * WDM_PAGE_SIZE,
		.length = 2 * WDM_PAGE_SIZE,
		.logical_address = FREE_ADDRESS,
	};
	argument->batch.domain = objects->os;
	argument->batch.number = 1;
	argument->batch.ops = caller(&one_op);
}

static void prepare_query_ranges(struct ioctl_objects *objects, union argument *argument)
{
	argument->query_ranges.object = objects->os;
	argument->query_ranges.number = ARRAY_SIZE(some_ranges);
	argument->query_ranges.ranges = caller(some_ranges);
}

static void prepare_query_ranges_device(struct ioctl_objects *objects, union argument *argument)
{
	prepare_query_ranges(objects, argument);
	argument->query_ranges.object = objects->device;
}

/* Succeeds only with AMD's driver and an attached device. */
static void prepare_set_fault_reporting(struct ioctl_objects *objects, union argument *argument)
{
	argument->set_fault_reporting.device = objects->device;
}

static void prepare_query_device(struct ioctl_objects *objects, union argument *argument)
{
	argument->query_device.device = objects->device;
}

static void prepare_query_input_mappings(struct ioctl_objects *objects, union argument *argument)
{
	argument->query_input_mappings.device = objects->device;
	argument->query_input_mappings.buffer_length = sizeof(some_mappings);
	argument->query_input_mappings.buffer = caller(some_mappings);
}

static void prepare_domain_create_ex(struct ioctl_objects *objects, union argument *argument)
{
	(void)objects;
	one_region = (struct wdm_iommu_region) { .start = FREE_ADDRESS, .length = WDM_PAGE_SIZE };
	argument->domain_create_ex.allocator = WDM_IOMMU_ALLOCATOR_BUDDY;
	argument->domain_create_ex.address_width = 36;
	argument->domain_create_ex.regions = caller(&one_region);
	argument->domain_create_ex.number = 1;
}

static void set_memory(struct ioctl_objects *objects, struct wdm_iommu_memory *memory)
{
	memory->type = WDM_IOMMU_MEMORY_MDL;
	memory->mdl = objects->fixture.mdl;
	memory->address = 2 * WDM_PAGE_SIZE;
	memory->length = 2 * WDM_PAGE_SIZE;
}

static void prepare_map_ex(struct ioctl_objects *objects, union argument *argument)
{
	argument->map_ex.domain = objects->os;
	argument->map_ex.permissions = WDM_RW;
	argument->map_ex.flags = WDM_IOMMU_ADDRESS_EXPLICIT;
	argument->map_ex.logical_address = FREE_ADDRESS;
	set_memory(objects, &argument->map_ex.memory);
}

static void prepare_map_ex_user(struct ioctl_objects *objects, union argument *argument)
{
	prepare_map_ex(objects, argument);
	argument->map_ex.memory.type = WDM_IOMMU_MEMORY_USER;
	argument->map_ex.memory.mdl = 0;
	argument->map_ex.memory.address = caller(page(&objects->fixture, 2));
}

static void prepare_reserve(struct ioctl_objects *objects, union argument *argument)
{
	argument->reserve.domain = objects->os;
	argument->reserve.flags = WDM_IOMMU_ADDRESS_EXPLICIT;
	argument->reserve.length = 2 * WDM_PAGE_SIZE;
	argument->reserve.logical_address = FREE_ADDRESS;
}

static void prepare_destroy_token(struct ioctl_objects *objects, union argument *argument)
{
	argument->destroy.handle = objects->token;
}

static void prepare_map_reserved(struct ioctl_objects *objects, union argument *argument)
{
	argument->map_reserved.token = objects->token;
	argument->map_reserved.permissions = WDM_RW;
	argument->map_reserved.offset = 4 * WDM_PAGE_SIZE;
	set_memory(objects, &argument->map_reserved.memory);
}

static void prepare_unmap_reserved(struct ioctl_objects *objects, union argument *argument)
{
	struct wdm_iommu_memory memory = { 0 };

	set_memory(objects, &memory);
	MUST(wdm_map_reserved(objects->fixture.fd, objects->token, 0, WDM_RW, &memory));
	argument->unmap_reserved.token = objects->token;
	argument->unmap_reserved.length = memory.length;
}

static void prepare_pasid_create(struct ioctl_objects *objects, union argument *argument)
{
	argument->pasid_create.device = objects->device;
}

/* No device here supports PASIDs, so there are no handles of PASIDs. */
static void prepare_pasid_attach(struct ioctl_objects *objects, union argument *argument)
{
	argument->pasid_attach.domain = objects->os;
}

#define CALL(request_name, type)			\
	.name = #request_name,				\
	.request = WDM_IOMMU_##request_name,		\
	.size = sizeof(struct wdm_iommu_##type)

#define AT(type, member)	offsetof(struct wdm_iommu_##type, member)

const struct ioctl_case ioctl_table[] = {
	{
		CALL(INFO, info),
		.first_size = AT(info, max_events),
		.changes_nothing = true,
		.prepare = prepare_nothing,
	},
	{
		CALL(DESTROY, destroy),
		.prepare = prepare_destroy_mdl,
		.handles = { { AT(destroy, handle), OBJECT_ANY } },
		.zero = { AT(destroy, reserved) },
	},
	{
		CALL(DOMAIN_CREATE, domain_create),
		.changes_nothing = true,
		.prepare = prepare_domain_create,
		.zero = { AT(domain_create, reserved) },
	},
	{
		CALL(DESTROY, destroy),
		.changes_nothing = true,
		.prepare = prepare_destroy_domain,
		.handles = { { AT(destroy, handle), OBJECT_ANY } },
		.zero = { AT(destroy, reserved) },
	},
	{
		CALL(DEVICE_CREATE, device_create),
		.first_size = AT(device_create, pasid_config),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_device_create,
		.zero = { AT(device_create, reserved2), AT(device_create, reserved3) },
	},
	{
		CALL(DESTROY, destroy),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_destroy_device,
		.handles = { { AT(destroy, handle), OBJECT_ANY } },
		.zero = { AT(destroy, reserved) },
	},
	{
		CALL(ATTACH, attach),
		.needs_device = true,
		.prepare = prepare_attach,
		.handles = {
			{ AT(attach, domain), OBJECT_DOMAIN },
			{ AT(attach, device), OBJECT_DEVICE },
		},
	},
	{
		CALL(DETACH, detach),
		.needs_device = true,
		.prepare = prepare_detach,
		.handles = { { AT(detach, device), OBJECT_DEVICE } },
	},
	{
		CALL(MDL_CREATE, mdl_create),
		.prepare = prepare_mdl_create,
	},
	{
		CALL(MDL_CREATE_FILE, mdl_create_file),
		.needs_6_11 = true,
		.prepare = prepare_mdl_create_file,
		.zero = { AT(mdl_create_file, reserved) },
	},
	{
		CALL(MAP, map),
		.prepare = prepare_map,
		.handles = {
			{ AT(map, domain), OBJECT_DOMAIN },
			{ AT(map, mdl), OBJECT_MDL },
		},
		.zero = { AT(map, reserved) },
	},
	{
		CALL(UNMAP, unmap),
		.prepare = prepare_unmap,
		.handles = { { AT(unmap, domain), OBJECT_DOMAIN } },
		.zero = { AT(unmap, reserved) },
	},
	{
		CALL(MAP_IDENTITY, map),
		.prepare = prepare_map_identity,
		.handles = {
			{ AT(map, domain), OBJECT_DOMAIN },
			{ AT(map, mdl), OBJECT_MDL },
		},
		.zero = { AT(map, reserved), AT(map, logical_address) },
	},
	{
		CALL(UNMAP_IDENTITY, unmap_identity),
		.prepare = prepare_unmap_identity,
		.handles = {
			{ AT(unmap_identity, domain), OBJECT_DOMAIN },
			{ AT(unmap_identity, mdl), OBJECT_MDL },
		},
	},
	{
		CALL(MEMORY_ADD, memory_add),
		.prepare = prepare_memory_add,
		.handles = {
			{ AT(memory_add, domain), OBJECT_DOMAIN },
			{ AT(memory_add, mdl), OBJECT_MDL },
		},
		.zero = { AT(memory_add, reserved) },
	},
	{
		CALL(MEMORY_REMOVE, memory_remove),
		.prepare = prepare_memory_remove,
		.handles = { { AT(memory_remove, domain), OBJECT_DOMAIN } },
		.zero = { AT(memory_remove, reserved) },
	},
	{
		CALL(CONFIGURE, configure),
		.prepare = prepare_configure,
		.handles = { { AT(configure, domain), OBJECT_DOMAIN } },
	},
	{
		CALL(FLUSH, flush),
		.prepare = prepare_flush,
		.handles = { { AT(flush, domain), OBJECT_DOMAIN } },
		.zero = { AT(flush, reserved) },
	},
	{
		CALL(FLUSH_VA_LIST, flush_va_list),
		.prepare = prepare_flush_va_list,
		.handles = { { AT(flush_va_list, domain), OBJECT_DOMAIN } },
		.zero = { AT(flush_va_list, reserved) },
	},
	{
		CALL(QUERY_DOMAIN, query_domain),
		.changes_nothing = true,
		.prepare = prepare_query_domain,
		.handles = { { AT(query_domain, domain), OBJECT_DOMAIN } },
	},
	{
		CALL(QUERY_MAPPINGS, query_mappings),
		.changes_nothing = true,
		.prepare = prepare_query_mappings,
		.handles = { { AT(query_mappings, domain), OBJECT_DOMAIN } },
		.zero = { AT(query_mappings, reserved) },
	},
	{
		CALL(MAP_USER, map_user),
		.prepare = prepare_map_user,
		.handles = { { AT(map_user, domain), OBJECT_DOMAIN } },
	},
	{
		CALL(BATCH, batch),
		.prepare = prepare_batch,
		.handles = { { AT(batch, domain), OBJECT_DOMAIN } },
		.zero = { AT(batch, reserved) },
	},
	{
		CALL(QUERY_RANGES, query_ranges),
		.changes_nothing = true,
		.prepare = prepare_query_ranges,
		.handles = { { AT(query_ranges, object), OBJECT_DOMAIN | OBJECT_DEVICE } },
	},
	{
		CALL(QUERY_RANGES, query_ranges),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_query_ranges_device,
		.handles = { { AT(query_ranges, object), OBJECT_DOMAIN | OBJECT_DEVICE } },
	},
	{
		CALL(SET_FAULT_REPORTING, set_fault_reporting),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_set_fault_reporting,
		.handles = { { AT(set_fault_reporting, device), OBJECT_DEVICE } },
		.zero = { AT(set_fault_reporting, reserved) },
	},
	{
		CALL(QUERY_DEVICE, query_device),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_query_device,
		.handles = { { AT(query_device, device), OBJECT_DEVICE } },
	},
	{
		CALL(QUERY_INPUT_MAPPINGS, query_input_mappings),
		.answer = STATUS_UNSUCCESSFUL,
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_query_input_mappings,
		.handles = { { AT(query_input_mappings, device), OBJECT_DEVICE } },
		.zero = { AT(query_input_mappings, reserved) },
	},
	{
		CALL(DOMAIN_CREATE_EX, domain_create_ex),
		.changes_nothing = true,
		.prepare = prepare_domain_create_ex,
	},
	{
		CALL(MAP_EX, map_ex),
		.prepare = prepare_map_ex,
		.handles = {
			{ AT(map_ex, domain), OBJECT_DOMAIN },
			{ AT(map_ex, memory.mdl), OBJECT_MDL },
		},
		.zero = { AT(map_ex, reserved) },
	},
	{
		CALL(MAP_EX, map_ex),
		.prepare = prepare_map_ex_user,
		.handles = { { AT(map_ex, domain), OBJECT_DOMAIN } },
		.zero = { AT(map_ex, reserved) },
	},
	{
		CALL(RESERVE, reserve),
		.changes_nothing = true,
		.prepare = prepare_reserve,
		.handles = { { AT(reserve, domain), OBJECT_DOMAIN } },
		.zero = { AT(reserve, reserved) },
	},
	{
		CALL(DESTROY, destroy),
		.changes_nothing = true,
		.prepare = prepare_destroy_token,
		.handles = { { AT(destroy, handle), OBJECT_ANY } },
		.zero = { AT(destroy, reserved) },
	},
	{
		CALL(MAP_RESERVED, map_reserved),
		.prepare = prepare_map_reserved,
		.handles = {
			{ AT(map_reserved, token), OBJECT_TOKEN },
			{ AT(map_reserved, memory.mdl), OBJECT_MDL },
		},
	},
	{
		CALL(UNMAP_RESERVED, unmap_reserved),
		.prepare = prepare_unmap_reserved,
		.handles = { { AT(unmap_reserved, token), OBJECT_TOKEN } },
		.zero = { AT(unmap_reserved, reserved) },
	},
	{
		CALL(PASID_CREATE, pasid_create),
		.answer = STATUS_INVALID_PARAMETER_1,
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_pasid_create,
		.handles = { { AT(pasid_create, device), OBJECT_DEVICE } },
		.zero = { AT(pasid_create, reserved) },
	},
	{
		CALL(PASID_ATTACH, pasid_attach),
		.answer = STATUS_INVALID_HANDLE,
		.changes_nothing = true,
		.prepare = prepare_pasid_attach,
		.handles = {
			{ AT(pasid_attach, domain), OBJECT_DOMAIN },
			{ AT(pasid_attach, pasid_device), OBJECT_PASID },
		},
	},
	{
		CALL(PASID_DETACH, pasid_detach),
		.answer = STATUS_INVALID_HANDLE,
		.changes_nothing = true,
		.prepare = prepare_nothing,
		.handles = { { AT(pasid_detach, pasid_device), OBJECT_PASID } },
		.zero = { AT(pasid_detach, reserved) },
	},
};

const size_t number_of_ioctls = ARRAY_SIZE(ioctl_table);

__u32 ioctl_answer(const struct ioctl_case *call)
{
	if (call->needs_6_11 && !kernel_is_at_least(6, 11))
		return STATUS_NOT_SUPPORTED;
	return call->answer;
}

/* Opening a device is slow: do it once per process, then bind it to each file. */
static void give_device(struct ioctl_objects *objects)
{
	static struct wdm_vfio_device *device;
	static void *bar0;
	struct fixture *fixture = &objects->fixture;

	if (device) {
		if (!options.cdev)
			MUST(wdm_vfio_bind(device->container, fixture->fd));
		MUST(create_device(fixture->fd, device));
		fixture->device = device;
		fixture->probe.bar0 = bar0;
	} else {
		open_device(fixture);
		probe_free(&fixture->probe);
		device = fixture->device;
		bar0 = fixture->probe.bar0;
	}
	objects->device = device->handle;
}

void open_objects(struct ioctl_objects *objects, bool with_device)
{
	struct fixture *fixture = &objects->fixture;
	__u64 address;

	open_fixture(fixture);
	open_arena(fixture, FIXTURE_PAGES);
	MUST(wdm_mdl_create(fixture->fd, fixture->arena, WDM_PAGE_SIZE, WDM_RW, &objects->spare));
	MUST(wdm_domain_create(fixture->fd, true, 0, &objects->os));
	MUST(wdm_map(fixture->fd, objects->os, WDM_RW, fixture->mdl, 0, 2 * WDM_PAGE_SIZE,
		     FIXTURE_ADDRESS));
	MUST(wdm_domain_create(fixture->fd, false, 0, &objects->caller));
	MUST(wdm_memory_add(fixture->fd, objects->caller, WDM_RW, fixture->mdl, 0, 0,
			    caller(fixture->arena)));
	address = TOKEN_ADDRESS;
	MUST(wdm_reserve(fixture->fd, objects->os, FIXTURE_PAGES * WDM_PAGE_SIZE, &address,
			 WDM_IOMMU_ADDRESS_EXPLICIT, 0, 0, &objects->token));
	objects->memfd = memfd_create("wdm-e2e", MFD_CLOEXEC);
	REQUIRE(objects->memfd >= 0 && !ftruncate(objects->memfd, FIXTURE_PAGES * WDM_PAGE_SIZE));
	objects->device = 0;
	if (with_device && options.has_device)
		give_device(objects);
}

/* More handles than a case creates */
#define MOST_HANDLES	64

/* Destroy all objects, in any order that works: nothing may be charged or pinned then. */
void check_nothing_is_left(struct ioctl_objects *objects)
{
	const __u64 segments[] = { 0, 4 * WDM_PAGE_SIZE };
	struct wdm_iommu_memory memory;
	int fd = objects->fixture.fd;

	set_memory(objects, &memory);
	for (size_t i = 0; i < ARRAY_SIZE(segments); i++)
		wdm_unmap_reserved(fd, objects->token, segments[i], memory.length);
	for (unsigned int round = 0; round < 4; round++) {
		for (__u32 handle = 1; handle < MOST_HANDLES; handle++) {
			wdm_detach(fd, handle);
			wdm_destroy(fd, handle);
		}
	}
	CHECK_EQUAL(fdinfo_number(fd, "wdm-charged:"), 0);
	CHECK_EQUAL(fdinfo_number(fd, "wdm-pinned:"), 0);
}

void close_objects(struct ioctl_objects *objects)
{
	close(objects->fixture.fd);
	close(objects->memfd);
	munmap(objects->fixture.arena, FIXTURE_PAGES * WDM_PAGE_SIZE);
}

void prepare_call(const struct ioctl_case *call, struct ioctl_objects *objects,
		  union argument *argument)
{
	memset(argument, 0, sizeof(*argument));
	call->prepare(objects, argument);
	argument->size = call->size;
}

struct state get_state(const struct ioctl_objects *objects)
{
	return (struct state) {
		.locked = locked_memory(),
		.os = query(objects->fixture.fd, objects->os),
		.caller = query(objects->fixture.fd, objects->caller),
	};
}

bool same_state(const struct state *one, const struct state *other)
{
	return !memcmp(one, other, sizeof(*one));
}
