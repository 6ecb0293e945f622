// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "calls.h"

/* A part of the arena that no domain has, for calls that add something */
#define FREE_ADDRESS	0x7000000ULL

static const __u64 va_list_of_one[] = { FREE_ADDRESS };
static struct wdm_iommu_mapping some_mappings[4];
static struct wdm_iommu_batch_op one_op;

static void prepare_nothing(struct fixture *fixture, union argument *argument)
{
	(void)fixture;
	(void)argument;
}

static void prepare_close(struct fixture *fixture, union argument *argument)
{
	argument->close.handle = fixture->spare;
}

static void prepare_domain_create(struct fixture *fixture, union argument *argument)
{
	(void)fixture;
	argument->domain_create.os_managed_page_table = 1;
}

static void prepare_domain_delete(struct fixture *fixture, union argument *argument)
{
	MUST(wdm_domain_create(fixture->world.fd, true, 0, &argument->close.handle));
}

static void prepare_device_create(struct fixture *fixture, union argument *argument)
{
	struct wdm_pci_address address = fixture->world.device.address;

	MUST(wdm_device_delete(fixture->world.fd, fixture->device));
	argument->device_create.segment = address.segment;
	argument->device_create.bus = address.bus;
	argument->device_create.devfn = address.devfn;
}

static void prepare_device_delete(struct fixture *fixture, union argument *argument)
{
	argument->close.handle = fixture->device;
}

static void prepare_attach(struct fixture *fixture, union argument *argument)
{
	argument->attach.domain = fixture->os;
	argument->attach.device = fixture->device;
	argument->attach.mapping_count = 1;
}

static void prepare_detach(struct fixture *fixture, union argument *argument)
{
	MUST(wdm_attach(fixture->world.fd, fixture->os, fixture->device));
	argument->detach.device = fixture->device;
}

static void prepare_mdl_create(struct fixture *fixture, union argument *argument)
{
	argument->mdl_create.address = caller(page(&fixture->world, 2));
	argument->mdl_create.length = 2 * WDM_PAGE_SIZE;
	argument->mdl_create.access = WDM_RW;
}

static void prepare_map(struct fixture *fixture, union argument *argument)
{
	argument->map.domain = fixture->os;
	argument->map.permissions = WDM_RW;
	argument->map.mdl = fixture->world.mdl;
	argument->map.offset = 2 * WDM_PAGE_SIZE;
	argument->map.length = 2 * WDM_PAGE_SIZE;
	argument->map.logical_address = FREE_ADDRESS;
}

static void prepare_unmap(struct fixture *fixture, union argument *argument)
{
	argument->unmap.domain = fixture->os;
	argument->unmap.logical_address = FIXTURE_ADDRESS;
	argument->unmap.number_of_pages = 1;
}

static void prepare_map_identity(struct fixture *fixture, union argument *argument)
{
	prepare_map(fixture, argument);
	argument->map.logical_address = 0;
}

static void prepare_unmap_identity(struct fixture *fixture, union argument *argument)
{
	MUST(wdm_map_identity(fixture->world.fd, fixture->os, WDM_RW, fixture->world.mdl,
			      4 * WDM_PAGE_SIZE, WDM_PAGE_SIZE));
	argument->unmap_identity.domain = fixture->os;
	argument->unmap_identity.mdl = fixture->world.mdl;
	argument->unmap_identity.offset = 4 * WDM_PAGE_SIZE;
	argument->unmap_identity.length = WDM_PAGE_SIZE;
}

static void prepare_memory_add(struct fixture *fixture, union argument *argument)
{
	argument->memory_add.domain = fixture->caller;
	argument->memory_add.permissions = WDM_RW;
	argument->memory_add.mdl = fixture->world.mdl;
	argument->memory_add.caller_address = FREE_ADDRESS;
}

static void prepare_memory_remove(struct fixture *fixture, union argument *argument)
{
	argument->memory_remove.domain = fixture->caller;
	argument->memory_remove.caller_address = caller(fixture->world.arena);
	argument->memory_remove.length = 2 * WDM_PAGE_SIZE;
}

/* Tables of three levels, which translate two pages */
static void make_tables(struct fixture *fixture, struct wdm_tables *tables)
{
	void *memory = page(&fixture->world, 4);

	wdm_tables_init(tables, &wdm_format_arm64, 39, memory, 4, caller(memory));
	for (unsigned int i = 0; i < 2; i++) {
		REQUIRE(wdm_tables_map(tables, FREE_ADDRESS + i * WDM_PAGE_SIZE,
				       caller(page(&fixture->world, i)), WDM_LEVEL_4K, WDM_RW));
	}
}

static void prepare_configure(struct fixture *fixture, union argument *argument)
{
	struct wdm_tables tables;

	make_tables(fixture, &tables);
	argument->configure.domain = fixture->caller;
	argument->configure.type = WDM_IOMMU_FORMAT_ARM64;
	argument->configure.translation_enabled = 1;
	argument->configure.arm64.ttbr0 = tables.caller_address;
	argument->configure.arm64.input_size0 = 39;
}

/* Configured, and then an entry has changed */
static void change_tables(struct fixture *fixture)
{
	struct wdm_tables tables;

	make_tables(fixture, &tables);
	MUST(wdm_tables_configure(&tables, fixture->world.fd, fixture->caller, NULL));
	*wdm_tables_entry(&tables, FREE_ADDRESS, WDM_LEVEL_4K, false) = 0;
}

static void prepare_flush(struct fixture *fixture, union argument *argument)
{
	change_tables(fixture);
	argument->flush.domain = fixture->caller;
}

static void prepare_flush_va_list(struct fixture *fixture, union argument *argument)
{
	change_tables(fixture);
	argument->flush_va_list.domain = fixture->caller;
	argument->flush_va_list.number = 1;
	argument->flush_va_list.va_list = caller(va_list_of_one);
}

static void prepare_query_domain(struct fixture *fixture, union argument *argument)
{
	argument->query_domain.domain = fixture->os;
}

static void prepare_query_mappings(struct fixture *fixture, union argument *argument)
{
	argument->query_mappings.domain = fixture->os;
	argument->query_mappings.number = ARRAY_SIZE(some_mappings);
	argument->query_mappings.mappings = caller(some_mappings);
}

static void prepare_map_user(struct fixture *fixture, union argument *argument)
{
	argument->map_user.domain = fixture->os;
	argument->map_user.permissions = WDM_RW;
	argument->map_user.address = caller(page(&fixture->world, 2));
	argument->map_user.length = 2 * WDM_PAGE_SIZE;
	argument->map_user.logical_address = FREE_ADDRESS;
}

/* Of one operation: the only batch that does all or nothing. */
static void prepare_batch(struct fixture *fixture, union argument *argument)
{
	one_op = (struct wdm_iommu_batch_op) {
		.op = WDM_IOMMU_BATCH_MAP,
		.permissions = WDM_RW,
		.mdl = fixture->world.mdl,
		.offset = 2 * WDM_PAGE_SIZE,
		.length = 2 * WDM_PAGE_SIZE,
		.logical_address = FREE_ADDRESS,
	};
	argument->batch.domain = fixture->os;
	argument->batch.number = 1;
	argument->batch.ops = caller(&one_op);
}

#define CALL(request_name, type)			\
	.name = #request_name,				\
	.request = WDM_IOMMU_##request_name,		\
	.size = sizeof(struct wdm_iommu_##type)

#define AT(type, member)	offsetof(struct wdm_iommu_##type, member)

const struct call calls[] = {
	{
		CALL(INFO, info),
		.first_size = AT(info, max_batch),
		.changes_nothing = true,
		.prepare = prepare_nothing,
	},
	{
		CALL(CLOSE, close),
		.prepare = prepare_close,
		.handles = { { AT(close, handle), OBJECT_ANY } },
		.zero = { AT(close, reserved) },
	},
	{
		CALL(DOMAIN_CREATE, domain_create),
		.changes_nothing = true,
		.prepare = prepare_domain_create,
		.zero = { AT(domain_create, reserved) },
	},
	{
		CALL(DOMAIN_DELETE, close),
		.changes_nothing = true,
		.prepare = prepare_domain_delete,
		.handles = { { AT(close, handle), OBJECT_DOMAIN } },
		.zero = { AT(close, reserved) },
	},
	{
		CALL(DEVICE_CREATE, device_create),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_device_create,
		.zero = { AT(device_create, flags) },
	},
	{
		CALL(DEVICE_DELETE, close),
		.needs_device = true,
		.changes_nothing = true,
		.prepare = prepare_device_delete,
		.handles = { { AT(close, handle), OBJECT_DEVICE } },
		.zero = { AT(close, reserved) },
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
		CALL(MDL_DELETE, close),
		.prepare = prepare_close,
		.handles = { { AT(close, handle), OBJECT_MDL } },
		.zero = { AT(close, reserved) },
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
};

const size_t number_of_calls = ARRAY_SIZE(calls);

/* Opening a device takes its time: once in a process, then tied to each file. */
static void give_device(struct fixture *fixture)
{
	static struct wdm_vfio_device device;
	static bool is_open;
	struct world *world = &fixture->world;

	if (is_open) {
		MUST(wdm_vfio_tie(device.container, world->fd));
		MUST(wdm_device_create(world->fd, &device.address, &device.handle, NULL));
	} else {
		open_device(world);
		probe_free(&world->probe);
		device = world->device;
		is_open = true;
	}
	world->device = device;
	fixture->device = device.handle;
}

void open_fixture(struct fixture *fixture, bool with_device)
{
	struct world *world = &fixture->world;

	open_world(world);
	open_arena(world, FIXTURE_PAGES);
	MUST(wdm_mdl_create(world->fd, world->arena, WDM_PAGE_SIZE, WDM_RW, &fixture->spare));
	MUST(wdm_domain_create(world->fd, true, 0, &fixture->os));
	MUST(wdm_map(world->fd, fixture->os, WDM_RW, world->mdl, 0, 2 * WDM_PAGE_SIZE,
		     FIXTURE_ADDRESS));
	MUST(wdm_domain_create(world->fd, false, 0, &fixture->caller));
	MUST(wdm_memory_add(world->fd, fixture->caller, WDM_RW, world->mdl, 0, 0,
			    caller(world->arena)));
	fixture->device = 0;
	if (with_device && options.has_device)
		give_device(fixture);
}

void close_fixture(struct fixture *fixture)
{
	close(fixture->world.fd);
	munmap(fixture->world.arena, FIXTURE_PAGES * WDM_PAGE_SIZE);
}

void prepare_call(const struct call *call, struct fixture *fixture, union argument *argument)
{
	memset(argument, 0, sizeof(*argument));
	call->prepare(fixture, argument);
	argument->size = call->size;
}

struct state get_state(const struct fixture *fixture)
{
	return (struct state) {
		.locked = locked_memory(),
		.os = query(fixture->world.fd, fixture->os),
		.caller = query(fixture->world.fd, fixture->caller),
	};
}

bool same_state(const struct state *one, const struct state *other)
{
	return !memcmp(one, other, sizeof(*one));
}
