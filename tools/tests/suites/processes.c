// SPDX-License-Identifier: GPL-2.0
/*
 * Several processes, each with a device and a domain, which all use the same logical addresses.
 * One of them is killed repeatedly.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "suites.h"
#include "fixture.h"

#define PAGE		WDM_PAGE_SIZE
#define SECONDS		15

/**
 * struct process - one of the processes
 * @index: its index, also of the page to which its device writes
 * @os_managed: kind of its domain
 * @attached: its device is attached
 * @mapped: that page is mapped
 * @copy: expected contents of the other pages, to which only others' devices write
 * @fixture: its fixture
 */
struct process {
	unsigned int index;
	bool os_managed;
	bool attached;
	bool mapped;
	unsigned char copy[MAX_DEVICES * PAGE];
	struct fixture fixture;
};

/* Shared by all processes */
static bool *stop;

/* Address to which the device of a process writes; mapped in all domains */
static __u64 address_of(unsigned int index)
{
	return ADDRESS + index * PAGE;
}

static unsigned char *page_of(struct process *process, unsigned int index)
{
	return page(&process->fixture, 1 + index);
}

static void map_page(struct process *process, unsigned int index)
{
	struct fixture *fixture = &process->fixture;
	__u64 address = address_of(index);

	if (process->os_managed) {
		MUST(map_pages(fixture, 1 + index, 1, address));
		return;
	}
	set_leaf(fixture, address, page_of(process, index));
	MUST(wdm_flush_va_list(fixture->fd, fixture->domain, true, &address, 1, NULL));
}

static void unmap_page(struct process *process)
{
	struct fixture *fixture = &process->fixture;
	__u64 address = address_of(process->index);

	if (process->os_managed) {
		MUST(wdm_unmap(fixture->fd, fixture->domain, address, PAGE));
		return;
	}
	*wdm_tables_entry(&fixture->tables, address, WDM_LEVEL_4K, false) = 0;
	MUST(wdm_flush_va_list(fixture->fd, fixture->domain, true, &address, 1, NULL));
}

static void start_process(struct process *process)
{
	options.device = options.single[process->index];
	process->os_managed = random_number(2);
	if (process->os_managed)
		open_os_managed(&process->fixture, 1 + options.singles, 0);
	else
		open_caller_managed(&process->fixture, 1 + options.singles,
				    random_number(2) ? &wdm_format_x64 : &wdm_format_arm64);
	for (unsigned int i = 0; i < options.singles; i++)
		map_page(process, i);
	process->attached = true;
	process->mapped = true;
	memcpy(process->copy, page_of(process, 0), options.singles * PAGE);
}

static void end_process(struct process *process)
{
	probe_free(&process->fixture.probe);
	/* Close the device or the file first. */
	if (random_number(2)) {
		wdm_vfio_close(process->fixture.device);
		close(process->fixture.fd);
	} else {
		close(process->fixture.fd);
		wdm_vfio_close(process->fixture.device);
	}
	munmap(process->fixture.arena, process->fixture.pages * PAGE);
	CHECK_EQUAL(locked_memory(), 0);
}

static void transfer(struct process *process)
{
	bool arrives = process->attached && process->mapped;

	EXPECT_DMA(arrives ? DMA_ARRIVED : DMA_BLOCKED,
		   write_to(&process->fixture, address_of(process->index),
			    page_of(process, process->index)));
	/* No other process's device has written here. */
	for (unsigned int i = 0; i < options.singles; i++)
		CHECK(i == process->index ||
		      !memcmp(process->copy + i * PAGE, page_of(process, i), PAGE));
}

static void pin_and_unpin(struct fixture *fixture)
{
	void *memory = get_pages(16);
	__u32 mdl;

	MUST(wdm_mdl_create(fixture->fd, memory, 16 * PAGE, WDM_RW, &mdl));
	MUST(wdm_destroy(fixture->fd, mdl));
	munmap(memory, 16 * PAGE);
}

static void step(struct process *process)
{
	struct fixture *fixture = &process->fixture;

	switch (random_number(8)) {
	case 0:
		if (process->attached)
			MUST(wdm_detach(fixture->fd, fixture->device->handle));
		else
			MUST(wdm_attach(fixture->fd, fixture->domain, fixture->device->handle));
		process->attached = !process->attached;
		break;
	case 1:
	case 2:
		if (process->mapped)
			unmap_page(process);
		else
			map_page(process, process->index);
		process->mapped = !process->mapped;
		break;
	case 3:
		pin_and_unpin(fixture);
		break;
	case 4:
		if (random_number(4))
			break;
		end_process(process);
		start_process(process);
		break;
	default:
		transfer(process);
	}
}

static pid_t start_child(unsigned int index)
{
	pid_t child = fork();

	REQUIRE(child >= 0);
	if (!child) {
		struct process *process = calloc(1, sizeof(*process));
		unsigned int steps = 0;

		REQUIRE(process);
		process->index = index;
		start_process(process);
		for (; !__atomic_load_n(stop, __ATOMIC_ACQUIRE); steps++)
			step(process);
		tap_diag("%s: %u steps", options.device.text, steps);
		end_process(process);
		finish();
	}
	return child;
}

static void side_by_side(void)
{
	long long pinned = pinned_pages();
	time_t end = time(NULL) + SECONDS;
	pid_t children[MAX_DEVICES];
	unsigned int kills = 0;
	int status;

	stop = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(stop != MAP_FAILED);
	for (unsigned int i = 0; i < options.singles; i++)
		children[i] = start_child(i);
	/* Kill the first one, whatever it is doing. */
	for (; time(NULL) < end; kills++) {
		usleep(random_number(2000000));
		kill(children[0], SIGKILL);
		REQUIRE(waitpid(children[0], &status, 0) == children[0]);
		CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		children[0] = start_child(0);
	}
	__atomic_store_n(stop, true, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < options.singles; i++) {
		REQUIRE(waitpid(children[i], &status, 0) == children[i]);
		CHECK(WIFEXITED(status) && !WEXITSTATUS(status));
	}
	tap_diag("%zu processes, %u killed", options.singles, kills);
	CHECK(kills);
	CHECK(pins_are_back(pinned));
}

static const struct test_case cases[] = {
	{ .name = "side by side, and one is killed", .run = side_by_side,
	  .needs = NEEDS_TWO_GROUPS, .seconds = 120 },
};

const struct suite processes_suite = { "processes", cases, ARRAY_SIZE(cases) };
