/* The sentence of each thread's last failure. */

#include "khufu_error.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_key(void) { pthread_key_create(&key, free); }

void khufu_set_last_error(const char *sentence) {
    pthread_once(&once, make_key);
    char *copy = strdup(sentence);
    free(pthread_getspecific(key));
    pthread_setspecific(key, copy);
}

const char *khufu_last_error(void) {
    pthread_once(&once, make_key);
    const char *sentence = pthread_getspecific(key);
    return sentence ? sentence : "";
}
