/* `native_bounds FIRST < inputs`: every input is read out of a block that ends where it ends, so that a sanitizer sees
 * whoever looks further. An input is its size, the longest message (both as this machine has numbers), whether it
 * is in Implicit VR, and its bytes; tests/fuzz/native_bounds.py writes them. The first is number FIRST. */
#include <sanitizer/common_interface_defs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

static unsigned long seen, inputs, messages, headers, verdicts[3];

static void tell_which(void) { fprintf(stderr, "\ninput %lu\n", inputs); }

static void expect(bool truth)
{
    if (!truth) {
        tell_which();
        exit(1);
    }
}

/* As a sum, so that every byte has been read. */
static void look_at(Bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        seen += bytes.at[i];
}

static void look(const uint8_t *from, size_t size, size_t longest, bool implicit)
{
    uint8_t *block = malloc(size), *answer;
    Message message;
    Header header;
    if (size)
        memcpy(block, from, size);
    Bytes rest = {block, size};
    Verdict verdict;
    while ((verdict = find_message(rest, longest, &message)) == FOUND) {
        messages++;
        expect(message.size <= rest.size && message.number <= MOST_FRAGMENTS);
        for (size_t i = 0; i < message.number; i++)
            look_at(message.fragments[i]);
        if (read_header(&message, implicit, &header)) {
            headers++;
            look_at(header.study);
            look_at(header.sop_class);
            look_at(header.model);
            look_at(header.sop_instance);
            expect(header.sop_instance.size <= LONGEST_UID);
        }
        answer = malloc(LONGEST_ANSWER);
        look_at((Bytes){answer, write_answer(answer, &message, 0xA700)});
        free(answer);
        rest.at += message.size;
        rest.size -= message.size;
    }
    verdicts[verdict]++;
    free(block);
}

int main(int number, char **arguments)
{
    unsigned long first;
    struct { uint32_t size, longest, implicit; } head;
    inputs = first = number > 1 ? strtoul(arguments[1], NULL, 10) : 0;
    __sanitizer_set_death_callback(tell_which);
    while (fread(&head, sizeof head, 1, stdin) == 1) {
        uint8_t *input = malloc(head.size + 1);
        if (!input || fread(input, 1, head.size, stdin) != head.size)
            return 2;
        look(input, head.size, head.longest, head.implicit);
        free(input);
        inputs++;
    }
    printf("%lu inputs, %lu messages, %lu headers; the rest: %lu not whole, %lu not plain (%lx)\n", inputs - first, messages,
           headers, verdicts[COMING], verdicts[OTHERWISE], seen);
    return 0;
}
