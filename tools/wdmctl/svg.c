// SPDX-License-Identifier: GPL-2.0
/*
 * A picture of what domains map: a box for each range, sorted by address, with holes between
 * them. The size of a box is logarithmic, as a page next to a gigabyte would not be visible
 * otherwise; the strip above is to scale.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "array_size.h"
#include "map.h"

#define WIDTH		960
#define MARGIN		32
#define BOX_LEFT	236
#define BOX_WIDTH	400
#define NOTE_LEFT	(BOX_LEFT + BOX_WIDTH + 18)
#define MAX_BOXES	40
#define STRIP_WIDTH	(WIDTH - 2 * MARGIN)

#define INK		"#1f2933"
#define FAINT		"#7b8794"

/* Colours by permissions; 0: mixed, or reserved */
static const char * const colours[] = { "#8d6cc9", "#3c82d6", "#e0892b", "#2a9d74" };
static const char * const meanings[] = { "several", "read only", "write only", "read and write" };

/**
 * struct box - ranges that are drawn as one
 * @start: the first byte
 * @last: the last one
 * @mapped: number of mapped bytes
 * @runs: number of ranges
 * @permissions: those of all ranges; 0: they differ
 * @page: the largest page that can be used
 * @run: the only range
 * @reserved: what it is reserved for; NULL: it is mapped
 */
struct box {
	__u64 start;
	__u64 last;
	__u64 mapped;
	size_t runs;
	__u32 permissions;
	__u64 page;
	const struct wdm_iommu_mapping *run;
	const char *reserved;
};

/* Drop what XML cannot represent, and convert invalid bytes as JSON does. */
static void put_escaped(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t size;

	for (; *at; at += size) {
		size = character_size(at);
		if (*at == '<')
			fputs("&lt;", out);
		else if (*at == '>')
			fputs("&gt;", out);
		else if (*at == '&')
			fputs("&amp;", out);
		else if (!size)
			fprintf(out, "&#%u;", *at);
		else if (*at >= ' ' && memcmp(at, "\357\277\276", size) &&
			 memcmp(at, "\357\277\277", size))
			fwrite(at, 1, size, out);
		size += !size;
	}
}

PRINTF_LIKE(4, 5)
static void put_text(FILE *out, unsigned int x, unsigned int y, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	fprintf(out, "<text x=\"%u\" y=\"%u\">", x, y);
	put_escaped(out, text);
	fprintf(out, "</text>\n");
}

static int by_size(const void *a, const void *b)
{
	const __u64 *first = a, *second = b;

	return *first < *second ? 1 : *first > *second ? -1 : 0;
}

static __u64 hole_before(const struct map *map, size_t run)
{
	return map->runs[run].address - map->runs[run - 1].address - map->runs[run - 1].length;
}

/**
 * struct cuts - the holes that separate boxes
 * @larger: all holes larger than this
 * @ties: number of holes of exactly this size
 */
struct cuts {
	__u64 larger;
	size_t ties;
};

/* Few ranges are drawn separately; among many, the largest holes separate boxes. */
static bool find_cuts(const struct map *map, struct cuts *cuts)
{
	size_t number = map->number - 1;
	__u64 *holes = malloc(map->number * sizeof(*holes));

	if (!holes)
		return false;
	for (size_t i = 0; i < number; i++)
		holes[i] = hole_before(map, i + 1);
	qsort(holes, number, sizeof(*holes), by_size);
	*cuts = (struct cuts) { .ties = MAX_BOXES - 1 };
	if (number >= MAX_BOXES)
		cuts->larger = holes[MAX_BOXES - 2];
	for (size_t i = 0; i < number && holes[i] > cuts->larger; i++)
		cuts->ties--;
	free(holes);
	return true;
}

static bool cut_before(const struct map *map, size_t run, struct cuts *cuts)
{
	__u64 hole;

	if (!run)
		return true;
	hole = hole_before(map, run);
	if (hole != cuts->larger || !cuts->ties)
		return hole > cuts->larger;
	cuts->ties--;
	return true;
}

static void join(struct box *box, const struct wdm_iommu_mapping *run, __u64 page)
{
	box->last = run->address + run->length - 1;
	box->mapped += run->length;
	box->runs++;
	box->run = NULL;
	if (box->permissions != run->permissions)
		box->permissions = 0;
	if (page > box->page)
		box->page = page;
}

static size_t make_boxes(const struct map *map, struct box *boxes)
{
	struct cuts cuts;
	size_t number = 0;
	__u64 page;

	if (!map->number || !find_cuts(map, &cuts))
		return 0;
	for (size_t i = 0; i < map->number; i++) {
		const struct wdm_iommu_mapping *run = &map->runs[i];

		page = map_largest_page(map, run);
		if (cut_before(map, i, &cuts))
			boxes[number++] = (struct box) {
				.start = run->address,
				.last = run->address + run->length - 1,
				.mapped = run->length,
				.runs = 1,
				.permissions = run->permissions,
				.page = page,
				.run = run,
			};
		else
			join(&boxes[number - 1], run, page);
	}
	return number;
}

static int by_address(const void *a, const void *b)
{
	const struct box *first = a, *second = b;

	return first->start < second->start ? -1 : first->start > second->start;
}

/* Draw reserved ranges between and around the boxes, each once. */
static size_t add_reserved(const struct map *map, struct box *boxes, size_t number)
{
	size_t room = number + MAX_BOXES;

	for (__u32 i = 0; i < map->usable.number && number < room; i++) {
		const struct wdm_iommu_range *range = &map->ranges[i];

		if (range->kind != WDM_IOMMU_RANGE_ALLOWED)
			boxes[number++] = (struct box) {
				.start = range->start,
				.last = range->last,
				.reserved = range_kind(range->kind),
			};
	}
	qsort(boxes, number, sizeof(*boxes), by_address);
	return number;
}

static unsigned int box_height(const struct box *box)
{
	__u64 pages = (box->last - box->start) / WDM_PAGE_SIZE + 1;
	unsigned int height = 34;

	if (box->reserved)
		return 30;
	for (; pages > 1; pages /= 4)
		height += 4;
	return height;
}

static void draw_hole(FILE *out, unsigned int y, __u64 size)
{
	fprintf(out, "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" stroke=\"#b8c2cc\" stroke-dasharray=\"2 5\"/>\n",
		BOX_LEFT, y + 13, BOX_LEFT + BOX_WIDTH, y + 13);
	fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"150\" height=\"18\" fill=\"#ffffff\"/>\n",
		BOX_LEFT + BOX_WIDTH / 2 - 75, y + 4);
	fprintf(out, "<g class=\"hole\">");
	put_text(out, BOX_LEFT + BOX_WIDTH / 2, y + 17, "hole, %s", SIZE_TEXT(size));
	fprintf(out, "</g>\n");
}

static void draw_box(FILE *out, unsigned int y, const struct box *box)
{
	unsigned int height = box_height(box), middle = y + height / 2 + 5;

	fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"4\" fill=\"%s\"/>\n",
		BOX_LEFT, y, BOX_WIDTH, height,
		box->reserved ? "url(#hatch)" : colours[box->permissions & WDM_RW]);
	fprintf(out, "<g class=\"address\">");
	put_text(out, BOX_LEFT - 14, y + 12, "0x%llx", box->start);
	put_text(out, BOX_LEFT - 14, y + height - 2, "0x%llx", box->last);
	fprintf(out, "</g>\n");
	if (box->reserved) {
		fprintf(out, "<g class=\"note\">");
		put_text(out, NOTE_LEFT, middle, "%s", box->reserved);
		fprintf(out, "</g>\n");
		return;
	}
	fprintf(out, "<g class=\"inside\">");
	if (box->runs > 1)
		put_text(out, BOX_LEFT + BOX_WIDTH / 2, middle, "%zu ranges, %s of %s mapped",
			 box->runs, SIZE_TEXT(box->mapped),
			 SIZE_TEXT(box->last - box->start + 1));
	else
		put_text(out, BOX_LEFT + BOX_WIDTH / 2, middle, "%s   %s", SIZE_TEXT(box->mapped),
			 permission_name(box->permissions));
	fprintf(out, "</g>\n<g class=\"note\">");
	if (box->run && box->run->mdl)
		put_text(out, NOTE_LEFT, middle - 7, "MDL %u + 0x%llx", box->run->mdl,
			 box->run->offset);
	else if (box->run)
		put_text(out, NOTE_LEFT, middle - 7, "memory without a handle");
	else
		put_text(out, NOTE_LEFT, middle - 7, "%s",
			 box->permissions ? meanings[box->permissions & WDM_RW] :
					    "several permissions");
	put_text(out, NOTE_LEFT, middle + 9, "pages up to %s", SIZE_TEXT(box->page));
	fprintf(out, "</g>\n");
}

/* To scale, from the first to the last mapped address */
static unsigned int draw_strip(FILE *out, unsigned int y, const struct map *map)
{
	const struct wdm_iommu_mapping *end = &map->runs[map->number - 1];
	__u64 start = map->runs[0].address, last = end->address + end->length - 1;
	/* Up to 2^64, which an integer cannot hold */
	double left = -1, right = -1, from, to, span = last - start + 1.0;

	fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"22\" rx=\"4\" fill=\"#e8ecf0\"/>\n",
		MARGIN, y, STRIP_WIDTH);
	/* Ranges that fall on the same pixels are drawn as one. */
	for (size_t i = 0; i <= map->number; i++) {
		const struct wdm_iommu_mapping *run = i < map->number ? &map->runs[i] : NULL;

		from = run ? (double)(run->address - start) * STRIP_WIDTH / span : WIDTH;
		to = run ? from + (double)run->length * STRIP_WIDTH / span : from;
		if (run && right >= 0 && from < right + 0.5) {
			right = to;
			continue;
		}
		if (right >= 0)
			fprintf(out, "<rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"22\" fill=\"#52606d\"/>\n",
				MARGIN + left, y, right - left < 1 ? 1 : right - left);
		left = from;
		right = to;
	}
	fprintf(out, "<g class=\"scale\">");
	put_text(out, MARGIN, y + 38, "0x%llx", start);
	fprintf(out, "</g><g class=\"scale\" text-anchor=\"end\">");
	put_text(out, MARGIN + STRIP_WIDTH, y + 38, "0x%llx", last);
	fprintf(out, "</g><g class=\"scale\" text-anchor=\"middle\">");
	put_text(out, WIDTH / 2, y + 38, "to scale: %s", SIZE_TEXT(last - start + 1 ?: last));
	fprintf(out, "</g>\n");
	return y + 60;
}

static unsigned int draw_legend(FILE *out, unsigned int y)
{
	unsigned int x = MARGIN;

	fprintf(out, "<g class=\"note\">");
	for (unsigned int i = ARRAY_SIZE(colours); i--; x += 150) {
		fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"14\" height=\"14\" rx=\"3\" fill=\"%s\"/>\n",
			x, y, colours[i]);
		put_text(out, x + 21, y + 12, "%s", meanings[i]);
	}
	fprintf(out, "<rect x=\"%u\" y=\"%u\" width=\"14\" height=\"14\" rx=\"3\" fill=\"url(#hatch)\"/>\n",
		x, y);
	put_text(out, x + 21, y + 12, "reserved");
	fprintf(out, "</g>\n");
	return y + 34;
}

static unsigned int draw_title(FILE *out, unsigned int y, const struct map *map)
{
	const struct open_file *file = map->file;
	char devices[160] = "no device";
	size_t used = 0;

	for (size_t i = 0; i < file->nr_devices && used < sizeof(devices); i++) {
		if (file->devices[i].domain == map->domain->handle)
			used += snprintf(devices + used, sizeof(devices) - used, "%s%s",
					 used ? ", " : "", file->devices[i].name);
	}
	fprintf(out, "<g class=\"title\">");
	put_text(out, MARGIN, y + 22, "Domain %u of %s, process %d", map->domain->handle,
		 file->command, file->pid);
	fprintf(out, "</g><g class=\"subtitle\">");
	put_text(out, MARGIN, y + 44, "%s%s  ·  %s  ·  %s in %zu ranges%s", map->domain->type,
		 map->domain->granular ? ", 4 KiB pages only" : "", devices,
		 SIZE_TEXT(map_bytes(map)), map->number, map->complete ? "" : " and more");
	fprintf(out, "</g>\n");
	return y + 62;
}

/* Return where the next one starts. */
static unsigned int draw(FILE *out, unsigned int y, const struct map *map)
{
	struct box *boxes = calloc(2 * MAX_BOXES + 1, sizeof(*boxes));
	size_t number;

	y = draw_title(out, y, map);
	if (map->number)
		y = draw_strip(out, y, map);
	y = draw_legend(out, y);
	if (!boxes)
		return y;
	number = add_reserved(map, boxes, make_boxes(map, boxes));
	for (size_t i = 0; i < number; i++) {
		if (i && boxes[i].start > boxes[i - 1].last + 1) {
			draw_hole(out, y, boxes[i].start - boxes[i - 1].last - 1);
			y += 26;
		} else if (i) {
			y += 3;
		}
		draw_box(out, y, &boxes[i]);
		y += box_height(&boxes[i]);
	}
	if (!number) {
		fprintf(out, "<g class=\"note\">");
		put_text(out, MARGIN, y + 12, "Nothing is mapped: all DMA is blocked.");
		fprintf(out, "</g>\n");
		y += 20;
	}
	free(boxes);
	return y + 36;
}

static void put_head(FILE *out, unsigned int height)
{
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\">\n"
		"<style>\n"
		"text { font-family: 'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif; font-size: 12px; fill: " INK "; }\n"
		".title text { font-size: 20px; font-weight: bold; }\n"
		".subtitle text { font-size: 13px; fill: #52606d; }\n"
		".address text, .scale text { font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 11px; fill: #52606d; }\n"
		".address text { text-anchor: end; }\n"
		".inside text { fill: #ffffff; font-size: 13px; font-weight: bold; text-anchor: middle; white-space: pre; }\n"
		".hole text { fill: " FAINT "; font-size: 11px; text-anchor: middle; }\n"
		"</style>\n"
		"<defs><pattern id=\"hatch\" width=\"7\" height=\"7\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">"
		"<rect width=\"7\" height=\"7\" fill=\"#e4e7eb\"/><rect width=\"3\" height=\"7\" fill=\"#b8c2cc\"/></pattern></defs>\n"
		"<rect width=\"%u\" height=\"%u\" fill=\"#ffffff\"/>\n",
		WIDTH, height, WIDTH, height, WIDTH, height);
}

/**
 * svg_write() - Draw domains below each other
 * @path: the file to write
 * @maps: their mappings
 * @number: number of @maps
 *
 * Return: true on success; otherwise errno is set.
 */
bool svg_write(const char *path, const struct map *maps, size_t number)
{
	unsigned int y = 20;
	char *body = NULL;
	size_t size;
	FILE *out;
	bool good;

	out = open_memstream(&body, &size);
	if (!out)
		return false;
	for (size_t i = 0; i < number; i++)
		y = draw(out, y, &maps[i]);
	good = !fclose(out);
	out = good ? fopen(path, "we") : NULL;
	good = out;
	if (good) {
		put_head(out, y);
		fwrite(body, 1, size, out);
		fputs("</svg>\n", out);
		good = !ferror(out);
		good = !fclose(out) && good;
	}
	free(body);
	return good;
}
