/*
 * The scratch memory of a thread. Not on its stack, which may be small; set aside by the C library when the thread first asks (a thread
 * that never does has none, where the library was loaded at run time), and freed with the thread.
 */
#include "scratch.h"

void *gumbel4j_scratch(void)
{
    static _Thread_local _Alignas(64) char memory[SCRATCH_BYTES];
    return memory;
}
