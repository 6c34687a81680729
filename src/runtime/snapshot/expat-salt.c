/* The salt of expat's hash tables. CPython takes it from the secret of its string hashes (Modules/pyexpat.c, Modules/_elementtree.c), which is
 * that of the build in every start from a snapshot. Unlike those hashes, a parser's are its own: it gets new random bytes. */
#include FF_LAYOUT

#include "restore.h"

#include <sys/random.h>

/* As Modules/expat/expat.h declares them; Modules/expat/pyexpatns.h has a prefix for the older one only. */
extern int __real_PyExpat_XML_SetHashSalt(void *, unsigned long) __attribute__((weak));
extern unsigned char __real_XML_SetHashSalt16Bytes(void *, const uint8_t[16]) __attribute__((weak));

/* Whether there are new ones. */
static int renew_salt(void *bytes, size_t size)
{
    return ff_current_allocation() == FF_AFTER_RESTORE && getrandom(bytes, size, GRND_NONBLOCK) == (ssize_t)size;
}

int __wrap_PyExpat_XML_SetHashSalt(void *parser, unsigned long salt)
{
    unsigned long own;
    return __real_PyExpat_XML_SetHashSalt(parser, renew_salt(&own, sizeof(own)) ? own : salt);
}

unsigned char __wrap_XML_SetHashSalt16Bytes(void *parser, const uint8_t salt[16])
{
    uint8_t own[16];
    return __real_XML_SetHashSalt16Bytes(parser, renew_salt(own, sizeof(own)) ? own : salt);
}
