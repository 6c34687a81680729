/**
 * The functions whose calls the linker sends to src/runtime/snapshot: libc's allocator, what knows
 * threads, the environment, what constructors do, and CPython's own beginning and end. Calls from shared
 * libraries are not affected.
 */
export const REGION_FUNCTIONS = [
  ...['malloc', 'calloc', 'realloc', 'reallocarray', 'free', 'malloc_usable_size'],
  ...['posix_memalign', 'aligned_alloc', 'memalign', 'valloc'],
  ...['strdup', 'strndup', 'wcsdup'],
  ...['pthread_key_create', 'pthread_key_delete', 'pthread_kill', 'pthread_getcpuclockid'],
  ...['PyThread_get_thread_ident', 'PyThread_get_thread_ident_ex', 'Py_BytesMain'],
  ...['getenv', 'secure_getenv', 'OPENSSL_cpuid_setup', 'ff_register_with_interpreter'],
  ...['Py_FinalizeEx', 'Py_Exit', 'PyGC_Collect'],
];

/** The dynamic linker finishes before the interpreter starts, so that what it fills in can be told from data. */
export const REGION_FLAGS = ['-Wl,-z,now', '-Wl,-z,relro'];
