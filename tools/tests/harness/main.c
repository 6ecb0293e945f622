// SPDX-License-Identifier: GPL-2.0
/*
 * wdm-e2e: tests of /dev/wdm_iommu from a program's side, with real DMA of
 * QEMU's edu devices. Prints KTAP.
 */
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "suites.h"

static const struct suite * const suites[] = {
	&smoke_suite,
	&abi_suite,
	&osmap_suite,
	&batch_suite,
	&mapuser_suite,
	&encodings_suite,
	&callermanaged_suite,
	&callermemory_suite,
	&hostile_suite,
	&mdl_suite,
	&memfd_suite,
	&attach_suite,
	&lifetime_suite,
	&threads_suite,
	&trace_suite,
	&bounds_suite,
	&fail_nth_suite,
	&limits_suite,
	&signals_suite,
	&stalls_suite,
	&ranges_suite,
	&events_suite,
	&device_suite,
	&version2_suite,
	&fdinfo_suite,
	&interrupts_suite,
	&cdev_suite,
	&library_suite,
	&unplug_suite,
	&resets_suite,
	&suspend_suite,
	&groups_suite,
	&processes_suite,
	&sandbox_suite,
};

static const struct suite *chosen[ARRAY_SIZE(suites)];
static size_t number;

static const struct suite *find_suite(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++) {
		if (!strcmp(suites[i]->name, name))
			return suites[i];
	}
	return NULL;
}

static void list_suites(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(suites); i++)
		printf("%s\n", suites[i]->name);
}

static error_t parse(int key, char *word, struct argp_state *state)
{
	switch (key) {
	case 'l':
		list_suites();
		exit(0);
	case 'p':
		if (strcmp(word, "container") && strcmp(word, "cdev"))
			argp_error(state, "no provider %s", word);
		options.cdev = !strcmp(word, "cdev");
		return 0;
	case 's':
		options.seconds = atoi(word);
		return 0;
	case ARGP_KEY_ARG:
		if (number == ARRAY_SIZE(chosen) || !find_suite(word))
			argp_error(state, "no suite %s", word);
		else
			chosen[number++] = find_suite(word);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_option argp_options[] = {
	{ "list", 'l', NULL, 0, "list the suites", 0 },
	{ "provider", 'p', "NAME", 0,
	  "open devices through a VFIO container (default) or their cdev", 0 },
	{ "seconds", 's', "N", 0, "how long threads hammer (default 5)", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = argp_options,
	.parser = parse,
	.args_doc = "[SUITE...]",
	.doc = "Test /dev/wdm_iommu; without names, all suites.",
};

static bool same_group(const struct wdm_bdf *one, const struct wdm_bdf *other)
{
	return wdm_pci_group(one->text) == wdm_pci_group(other->text);
}

/* QEMU's AMD IOMMU does not know which device below a bridge a request is from. */
static bool is_usable(const struct wdm_bdf *device)
{
	struct wdm_pci_address address;

	return wdm_pci_parse(device->text, &address) &&
	       (!address.bus || access("/sys/class/iommu/ivhd0", F_OK));
}

static size_t keep_usable(struct wdm_bdf *found, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (is_usable(&found[i]))
			found[kept++] = found[i];
	}
	return kept;
}

static bool is_alone(const struct wdm_bdf *found, size_t count, size_t index)
{
	for (size_t i = 0; i < count; i++) {
		if (i != index && same_group(&found[i], &found[index]))
			return false;
	}
	return true;
}

static bool is_on_root_bus(const struct wdm_bdf *device)
{
	struct wdm_pci_address address;

	return wdm_pci_parse(device->text, &address) && !address.bus;
}

/* Find the first device of each group, and those that are not on the root bus. */
static void find_groups(const struct wdm_bdf *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t first = 0;

		while (!same_group(&found[first], &found[i]))
			first++;
		if (first == i)
			options.single[options.singles++] = found[i];
		if (is_on_root_bus(&found[i]))
			continue;
		if (is_alone(found, count, i)) {
			options.plug = found[i];
			options.has_plug = true;
		} else if (first != i && !options.has_bridged) {
			options.bridged[0] = found[first];
			options.bridged[1] = found[i];
			options.has_bridged = true;
		}
	}
}

/* Find the edu devices, and those that share a group. */
static void find_devices(void)
{
	struct wdm_bdf found[MAX_DEVICES];
	size_t count = keep_usable(found, find_edu(found, MAX_DEVICES)), device = 0;

	while (device + 1 < count && !is_alone(found, count, device))
		device++;
	if (count)
		options.device = found[device];
	options.has_device = count;
	find_groups(found, count);
	for (size_t i = 0; i < count; i++) {
		if (!options.has_other && !same_group(&found[i], &options.device)) {
			options.other = found[i];
			options.has_other = true;
		}
		for (size_t j = i + 1; j < count && !options.has_pair; j++) {
			if (!same_group(&found[i], &found[j]))
				continue;
			options.pair[0] = found[i];
			options.pair[1] = found[j];
			options.has_pair = true;
		}
	}
}

static bool is_nvme(const struct wdm_bdf *device)
{
	unsigned int class;

	return !wdm_pci_attribute(device->text, "class", &class) && class == 0x010802;
}

/* Find a device that the library has to open by address alone, and an NVMe controller. */
static void find_others(void)
{
	struct wdm_bdf *list;
	int count = wdm_pci_list(&list);

	for (int i = 0; i < count; i++) {
		if (wdm_pci_is_edu(list[i].text) || !wdm_pci_has_vfio_driver(list[i].text))
			continue;
		if (is_nvme(&list[i])) {
			options.nvme = list[i];
			options.has_nvme = true;
		} else if (!options.has_stranger) {
			options.stranger = list[i];
			options.has_stranger = true;
		}
	}
	if (count >= 0)
		free(list);
}

int main(int argc, char **argv)
{
	unsigned int failed = 0;

	if (!strcmp(argv[0], EXEC_NAME))
		return exec_main();
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	if (!number) {
		memcpy(chosen, suites, sizeof(suites));
		number = ARRAY_SIZE(suites);
	}
	/* For the library */
	setenv("WDM_PROVIDER", options.cdev ? "cdev" : "container", 1);
	find_devices();
	find_others();
	tap_header("KTAP version 1");
	tap_plan(number);
	for (size_t i = 0; i < number; i++) {
		int result = run_suite(chosen[i]);

		tap_restart(i);
		tap_result(result ? TAP_FAIL : TAP_PASS, chosen[i]->name, NULL);
		failed += !!result;
	}
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
