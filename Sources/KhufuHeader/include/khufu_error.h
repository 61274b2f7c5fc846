/* What the implementation of khufu.h shares with its header; not for users. */

#ifndef KHUFU_ERROR_H
#define KHUFU_ERROR_H

#include "khufu.h"

/* Keeps a copy of a sentence for khufu_last_error() of the calling thread. */
void khufu_set_last_error(const char *sentence);

#endif
