// SPDX-License-Identifier: GPL-2.0
/*
 * JSON on stdout. Numbers stay below 2^53, as programs read them as doubles; addresses are
 * text.
 */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "wdmctl.h"

#define MAX_DEPTH	8

static char closing[MAX_DEPTH];
static bool any[MAX_DEPTH + 1];
static unsigned int depth;

/* Convert an invalid byte to the character with its number. */
static void quote(const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t size;

	putchar('"');
	for (; *at; at += size) {
		size = character_size(at);
		if (*at == '"' || *at == '\\')
			printf("\\%c", *at);
		else if (*at < ' ' || *at == 0x7f || !size)
			printf("\\u%04x", *at);
		else
			fwrite(at, 1, size, stdout);
		size += !size;
	}
	putchar('"');
}

static void start(const char *key)
{
	if (any[depth])
		putchar(',');
	any[depth] = true;
	if (depth)
		printf("\n%*s", 2 * depth, "");
	if (key) {
		quote(key);
		printf(": ");
	}
}

static void open_with(const char *key, char open, char close)
{
	assert(depth < MAX_DEPTH);
	start(key);
	putchar(open);
	closing[depth++] = close;
	any[depth] = false;
}

void json_object(const char *key)
{
	open_with(key, '{', '}');
}

void json_array(const char *key)
{
	open_with(key, '[', ']');
}

void json_end(void)
{
	bool empty = !any[depth--];

	if (!empty)
		printf("\n%*s", 2 * depth, "");
	putchar(closing[depth]);
	if (!depth) {
		putchar('\n');
		any[0] = false;
		fflush(stdout);
	}
}

void json_text(const char *key, const char *text)
{
	start(key);
	if (text)
		quote(text);
	else
		printf("null");
}

void json_format(const char *key, const char *format, ...)
{
	va_list arguments;
	char text[1024];

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	json_text(key, text);
}

void json_number(const char *key, __u64 number)
{
	start(key);
	printf("%llu", number);
}

void json_real(const char *key, double number)
{
	start(key);
	printf("%.1f", number);
}

void json_bool(const char *key, bool value)
{
	start(key);
	printf(value ? "true" : "false");
}
