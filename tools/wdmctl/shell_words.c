// SPDX-License-Identifier: GPL-2.0
/*
 * wdmctl shell: words of a command, and outcomes.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "shell.h"

/* Keep only the first error of a command. */
void bad_words(struct words *words, const char *format, ...)
{
	va_list arguments;

	if (*words->error)
		return;
	va_start(arguments, format);
	vsnprintf(words->error, sizeof(words->error), format, arguments);
	va_end(arguments);
}

/* NULL at the end */
const char *next_word(struct words *words)
{
	const char *word = words->words[words->at];

	if (word)
		words->at++;
	return word;
}

/* Take the next word if it is this one. */
bool next_is(struct words *words, const char *word)
{
	const char *next = words->words[words->at];

	if (!next || strcmp(next, word))
		return false;
	words->at++;
	return true;
}

/* "4096", "0x1000", "4k", "2m", "1g" */
static bool read_number(const char *word, __u64 *number)
{
	static const char units[] = "kmg";
	unsigned int shift = 0;
	const char *unit;
	char *end;

	errno = 0;
	*number = strtoull(word, &end, 0);
	if (end == word || *word == '-' || errno)
		return false;
	unit = *end ? strchr(units, *end) : NULL;
	if (unit) {
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (*end || *number << shift >> shift != *number)
		return false;
	*number <<= shift;
	return true;
}

__u64 next_number(struct words *words, const char *what)
{
	const char *word = next_word(words);
	__u64 number = 0;

	if (!word)
		bad_words(words, "%s is missing", what);
	else if (!read_number(word, &number))
		bad_words(words, "%s: %s is not a number", what, word);
	return number;
}

/* Take the next word if it is a number. */
__u64 next_number_or(struct words *words, __u64 otherwise)
{
	const char *word = words->words[words->at];
	__u64 number;

	if (!word || !read_number(word, &number))
		return otherwise;
	words->at++;
	return number;
}

static struct object *find_object(struct shell *shell, enum kind kind, const char *name,
				  size_t length)
{
	for (size_t i = 0; i < MAX_OBJECTS; i++) {
		struct object *object = &shell->objects[i];

		if (object->kind && (!kind || object->kind == kind) &&
		    strlen(object->name) == length && !strncmp(object->name, name, length))
			return object;
	}
	return NULL;
}

/* Take the next word if it names such an object, or else the current one. */
struct object *next_object(struct shell *shell, struct words *words, enum kind kind)
{
	static const char * const kinds[] = {
		[KIND_DEVICE] = "device", [KIND_DOMAIN] = "domain", [KIND_MDL] = "MDL",
		[KIND_TOKEN] = "token",
	};
	const char *word = words->words[words->at];
	struct object *object = word ? find_object(shell, kind, word, strlen(word)) : NULL;

	if (object)
		words->at++;
	else if (kind)
		object = shell->current[kind];
	if (!object)
		bad_words(words, "there is no %s", kind ? kinds[kind] :
			  word ? word : "object without a name");
	return object;
}

/* "m0", "m0+0x1000", or the current MDL */
struct object *next_memory(struct shell *shell, struct words *words, __u64 *offset)
{
	const char *word = words->words[words->at];
	struct object *object = NULL;

	*offset = 0;
	if (word)
		object = find_object(shell, KIND_MDL, word, strcspn(word, "+"));
	if (!object)
		return next_object(shell, words, KIND_MDL);
	words->at++;
	word += strcspn(word, "+");
	if (*word && !read_number(word + 1, offset))
		bad_words(words, "%s is not an offset", word);
	return object;
}

/* Check that the whole command was parsed without an error. */
bool no_more_words(struct words *words)
{
	if (words->words[words->at])
		bad_words(words, "%s is not understood here", words->words[words->at]);
	return !*words->error;
}

void set_status(struct outcome *outcome, __u32 status)
{
	int error = errno;

	*outcome = (struct outcome) { .is_status = true, .status = status, .good = !status };
	snprintf(outcome->word, sizeof(outcome->word), "%s", wdm_status_name(status));
	if (status == WDM_STATUS_NONE)
		snprintf(outcome->text, sizeof(outcome->text), "%s", strerror(error));
	else if (status)
		snprintf(outcome->text, sizeof(outcome->text), "%s%s%s", wdm_status_text(status),
			 *wdm_status_cure(status) ? ". " : "", wdm_status_cure(status));
}

void set_word(struct outcome *outcome, bool good, const char *word, const char *format, ...)
{
	va_list arguments;

	*outcome = (struct outcome) { .good = good };
	snprintf(outcome->word, sizeof(outcome->word), "%s", word);
	va_start(arguments, format);
	vsnprintf(outcome->text, sizeof(outcome->text), format, arguments);
	va_end(arguments);
}
