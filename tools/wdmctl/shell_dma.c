// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl shell: DMA of an edu device.
 *
 * To detect a write independent of the earlier contents of memory, the transfer runs twice,
 * with all memory filled with random bytes and then with their complement. A byte that the
 * device has written differs from one of the two.
 */
#include <stdlib.h>
#include <string.h>

#include "probe.h"
#include "shell.h"

/**
 * struct image - a copy of an MDL's memory
 * @object: the MDL
 * @before: its earlier contents
 * @filling: the bytes that it was filled with
 * @written: which bytes the device has written
 */
struct image {
	const struct object *object;
	unsigned char *before;
	unsigned char *filling;
	unsigned char *written;
};

static void free_images(struct image *images, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		free(images[i].before);
		free(images[i].filling);
		free(images[i].written);
	}
}

static bool take_image(struct image *image, const struct object *object)
{
	*image = (struct image) {
		.object = object,
		.before = malloc(object->size),
		.filling = malloc(object->size),
		.written = calloc(1, object->size),
	};
	if (!image->before || !image->filling || !image->written)
		return false;
	memcpy(image->before, object->memory, object->size);
	probe_fill(image->filling, object->size);
	return true;
}

static size_t count_written(struct image *image)
{
	const unsigned char *memory = image->object->memory;
	size_t number = 0;

	for (__u64 i = 0; i < image->object->size; i++) {
		image->written[i] |= memory[i] != image->filling[i];
		number += image->written[i];
	}
	return number;
}

/* Run a transfer with filled memory. Return the number of bytes written so far. */
static bool transfer(struct image *images, size_t number, const struct object *device,
		     __u64 address, size_t length, size_t *written)
{
	for (size_t i = 0; i < number; i++)
		memcpy(images[i].object->memory, images[i].filling, images[i].object->size);
	if (!wdm_edu_write(device->bar, address, 0, length))
		return false;
	*written = 0;
	for (size_t i = 0; i < number; i++) {
		*written += count_written(&images[i]);
		for (__u64 j = 0; j < images[i].object->size; j++)
			images[i].filling[j] = ~images[i].filling[j];
	}
	return true;
}

/* Restore the bytes that the device has not written. */
static void put_back(const struct image *images, size_t number)
{
	for (size_t i = 0; i < number; i++) {
		for (__u64 j = 0; j < images[i].object->size; j++) {
			if (!images[i].written[j])
				images[i].object->memory[j] = images[i].before[j];
		}
	}
}

static void dma_write(struct shell *shell, const struct object *device, __u64 address,
		      size_t length, struct outcome *outcome)
{
	struct image *images = calloc(MAX_OBJECTS, sizeof(*images));
	size_t number = 0, written = 0;
	bool good = images;

	for (size_t i = 0; good && i < MAX_OBJECTS; i++) {
		if (shell->objects[i].kind == KIND_MDL)
			good = take_image(&images[number++], &shell->objects[i]);
	}
	if (!good) {
		set_word(outcome, false, "no-memory", "there is no memory to watch the DMA with");
	} else {
		good = transfer(images, number, device, address, length, &written) &&
		       transfer(images, number, device, address, length, &written);
		put_back(images, number);
		if (!good)
			set_word(outcome, false, "stuck", "the device did not end its transfer");
		else if (!written)
			set_word(outcome, false, "blocked", "no byte of any MDL was written");
		else
			set_word(outcome, true, "arrived", "%zu bytes were written", written);
	}
	if (images)
		free_images(images, number);
	free(images);
}

void shell_dma(struct shell *shell, struct words *words, struct outcome *outcome)
{
	bool write = next_is(words, "write"), read = !write && next_is(words, "read");
	__u64 address = next_number(words, "the address");
	__u64 length = next_number_or(words, 64);
	const struct object *device = next_object(shell, words, KIND_DEVICE);

	if (!write && !read)
		bad_words(words, "dma read or dma write");
	else if (!length || length > WDM_EDU_BUFFER)
		bad_words(words, "the device's buffer has %u bytes", WDM_EDU_BUFFER);
	else if (device && !device->bar)
		bad_words(words, "%s is not an edu device", device->name);
	if (!no_more_words(words))
		return;
	if (write)
		dma_write(shell, device, address, length, outcome);
	else if (wdm_edu_read(device->bar, address, 0, length))
		set_word(outcome, true, "done", "dma write shows what it has read");
	else
		set_word(outcome, false, "stuck", "the device did not end its transfer");
}
