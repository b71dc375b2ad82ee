/* How the C library's allocator is to treat memory that was freed: kept for what comes next while there is traffic,
 * given back to the system when there is none. Nothing happens where it isn't glibc's. Any thread. */
#ifndef IOD_BASE_HEAP_H
#define IOD_BASE_HEAP_H

/* For a process that serves: a heap that shrinks after each garbage collection and grows again costs more in page
 * faults than all else that a large message does. What MALLOC_TRIM_THRESHOLD_, MALLOC_MMAP_THRESHOLD_ or GLIBC_TUNABLES
 * of the environment say, goes first. */
void iod_heap_keep(void);

/* Gives back what is free. Takes milliseconds, in which nobody else can allocate. */
void iod_heap_trim(void);

#endif
