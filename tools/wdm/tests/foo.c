// SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
/*
 * Run the ports of Windows drivers in kunit/ports as a program, on QEMU's edu device:
 *
 *     wdm-foo 0000:00:03.0
 */
#include <err.h>
#include <time.h>

#include "port.h"

#include "private.h"

u64 port_get(struct port *port, unsigned int reg)
{
	return __atomic_load_n((u64 *)((char *)port->bar + reg), __ATOMIC_SEQ_CST);
}

void port_set(struct port *port, unsigned int reg, u64 value)
{
	__atomic_store_n((u64 *)((char *)port->bar + reg), value, __ATOMIC_SEQ_CST);
}

void port_sleep(unsigned int ms)
{
	const struct timespec time = { ms / 1000, ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* QEMU's IOMMUs report no faults to the kernel, so report them in its place. */
void port_fault(struct port *port, u64 iova)
{
	wdk_events_deliver(&(struct wdm_iommu_event) {
		.type = WDM_IOMMU_EVENT_FAULT,
		.size = sizeof(struct wdm_iommu_event),
		.device = port->pdo->handle,
		.fault.address = iova,
		.fault.flags = WDM_IOMMU_FAULT_WRITE,
		.fault.kind = WDM_IOMMU_FAULT_TRANSLATION,
	});
}

/* Set a parameter of wdm_iommu, as an administrator does. */
bool port_allow_pass_through(struct port *port, const char *value)
{
	FILE *file = fopen("/sys/module/wdm_iommu/parameters/allow_pass_through", "w");

	if (!EXPECT(port, file))
		return false;
	fputs(value, file);
	return EXPECT(port, !fclose(file));
}

int main(int argc, char **argv)
{
	struct port port = { .failed = false };
	struct wdm_error error;
	bool good;

	if (argc != 2)
		errx(2, "usage: %s 0000:00:03.0", argv[0]);
	port.pdo = wdm_pdo_open(argv[1], &error);
	if (!port.pdo)
		errx(1, "%s", error.text);
	port.bar = wdm_bar_map(wdm_pdo_device(port.pdo), 0, 0, 0, NULL);
	if (!wdm_edu_present(port.bar))
		errx(1, "%s is not an edu device", argv[1]);
	good = port_run(&port);
	wdm_pdo_close(port.pdo);
	/* The ports respect the levels of the contract. */
	return good && !wdm_port_level_errors() ? 0 : 1;
}
