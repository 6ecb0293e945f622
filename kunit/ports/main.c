// SPDX-License-Identifier: GPL-2.0
/*
 * An ordinary PCI driver that owns its device's DMA, as a port of a Windows driver
 * does. It binds QEMU's edu device, runs foo_v1.c and foo_v2.c on it and prints the
 * results as KTAP into the kernel's log, each line after "wdm_foo: ".
 */
#include <linux/module.h>
#include <linux/pci.h>

#include "port.h"

static const struct port_case *const port_suites[] = {
	port_v1_cases,
	port_v2_cases,
};

static void port_run(struct port *port)
{
	const struct port_case *c;
	unsigned int i, nr = 0;

	port_say("KTAP version 1");
	for (i = 0; i < ARRAY_SIZE(port_suites); i++) {
		for (c = port_suites[i]; c->name; c++) {
			port->failed = false;
			port->skipped = NULL;
			c->run(port);
			port_say("%sok %u - %s%s%s", port->failed ? "not " : "",
				 ++nr, c->name, port->skipped ? " # SKIP " : "",
				 port->skipped ?: "");
		}
	}
	port_say("1..%u", nr);
}

static int port_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct port port = { .pdev = pdev };
	int ret;

	ret = pcim_enable_device(pdev);
	if (ret)
		return ret;
	port.bar = pcim_iomap(pdev, 0, 0);
	if (!port.bar)
		return -ENOMEM;
	pci_set_master(pdev);
	port_run(&port);
	pci_clear_master(pdev);
	return 0;
}

static const struct pci_device_id port_ids[] = {
	{ PCI_DEVICE(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, port_ids);

static struct pci_driver port_driver = {
	.name = "wdm_foo",
	.id_table = port_ids,
	.probe = port_probe,
	/* Its DMA is not the kernel's DMA API. */
	.driver_managed_dma = true,
};
module_pci_driver(port_driver);

/* MODULE_IMPORT_NS() takes a string since Linux 6.13 only; this is what it does. */
MODULE_INFO(import_ns, "WDM_IOMMU");
MODULE_DESCRIPTION("Ports of Windows drivers on wdm_iommu");
MODULE_LICENSE("GPL");
