/* What wheels made with a C library of 2.38 or newer ask for, on an older one. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

unsigned long long __isoc23_strtoull(const char *text, char **end, int base) { return strtoull(text, end, base); }

int __isoc23_sscanf(const char *text, const char *format, ...)
{
    va_list wanted;
    va_start(wanted, format);
    int found = vsscanf(text, format, wanted);
    va_end(wanted);
    return found;
}
